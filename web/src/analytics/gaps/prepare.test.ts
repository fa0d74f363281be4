import { expect, test } from "vitest";
import { GAP_COLUMNS, gapRows, hoursText } from "./prepare";

type Gap = Parameters<typeof gapRows>[0][number];

const gap: Gap = {
  blocks_count: 5, blocks_count_all: 9, board_exam_weight: 8, exam_share: 0.012, findings: [], gap_score: 0.69,
  hours: { low: 4.2, median: 6.1, high: 9.4 }, is_provisional: false, mastery: 0.31, mastery_high: 0.4, mastery_low: 0.22,
  n: 14, name: "Heart failure", points_per_hour: null, prerequisite_impact: 0.1, priority_index: 50.6,
  priority_score: 18.9, progress: { at_start: null, now: 0.31, opened_on: null, share: null, target: 0.8 }, rank: 1,
  recent_failure_rate: 0.5, recommended_materials: [], recommended_path: [], severity: "critical", state: "weak",
  recall: null, recall_high: null, recall_low: null, told_by: "questions", topic_id: "cardiovascular.failure",
};

test("a gap says how bad, how sure, how much of the exam, how long and what it blocks", () => {
  expect(gapRows([gap], 5)[0]).toEqual({
    id: "cardiovascular.failure",
    name: "Heart failure",
    level: "critical",
    severity: "critical",
    icon: "▲",
    why: "mastery 31 % (22 to 40) · 1.2 % of the exam · about 6 h (4 to 9) · blocks 5",
  });
});

test("what rests on little is called provisional, and what is unknown is not zero", () => {
  const [row] = gapRows([{ ...gap, is_provisional: true, mastery: null, hours: { low: null, median: null, high: null } }], 5);
  expect(row?.severity).toBe("critical, provisional");
  expect(row?.why).toBe("not known yet · 1.2 % of the exam · blocks 5");
});

test("of a topic with few answers the range is told, and no figure in it", () => {
  const [row] = gapRows([{ ...gap, state: "insufficient_data", n: 1, mastery: 0, mastery_low: 0, mastery_high: 0.29 }], 5);
  expect(row?.why).toMatch(/^1 answer: mastery may be 0 to 29 % · /);
});

test("of a topic that cards alone tell of, their recall is told and not a mastery", () => {
  const cards: Gap = {
    ...gap, told_by: "cards", is_provisional: true, mastery: null, mastery_low: null, mastery_high: null, recall: 0.41,
    recall_low: 0.35, recall_high: 0.48,
  };
  const [row] = gapRows([cards], 5);
  expect([row?.level, row?.severity]).toEqual(["critical", "critical by its cards"]);
  expect(row?.why).toMatch(/^recall of its cards 41 % \(35 to 48\), no question answered · /);
  expect(GAP_COLUMNS.find((column) => column.header === "Severity")?.value(cards)).toBe("critical by its cards");
});

test("less than an hour is said in minutes, and never as none", () => {
  expect(hoursText({ low: 0, median: 0.2, high: 1.2 })).toBe("about 10 min (5 min to 1 h)");
});
