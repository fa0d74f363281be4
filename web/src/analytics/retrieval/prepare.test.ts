import { expect, test } from "vitest";
import type { Schemas } from "../../api/context";
import { fading, moreToSee } from "./prepare";

const topic: Schemas["TopicRecall"] = {
  as_of: "2026-11-22T02:00:00Z",
  due: 1,
  due_tomorrow: 0,
  exam_share: 0.01,
  items_remembered: 9,
  items_seen: 12,
  name: "Acid–base disorders",
  next_review_on: "2026-11-22",
  retrieval_high: 0.75,
  retrieval_low: 0.6,
  retrieval_strength: 0.68,
  sm2_interval_days: 6,
  sm2_next_review_at: null,
  topic_id: "renal.acid-base",
};

test("a fading topic says how much is left, how sure that is, and what is due", () => {
  expect(fading([topic], 3)).toEqual([
    {
      id: "renal.acid-base",
      name: "Acid–base disorders",
      figure: "68 %",
      why: "recalled now, likely 60 to 75 · 1 review due · 9 items studied",
    },
  ]);
});

test("no more are listed than there is room for, and no alerts are no rows", () => {
  expect(fading([topic, topic, topic], 2)).toHaveLength(2);
  expect(fading([], 2)).toEqual([]);
});

test("those beyond the list are counted by what the server counted, not by what it listed", () => {
  const finding = { code: "retrieval.due", params: { due: 3, alerts: 75 }, text: "" };
  expect(moreToSee({ alerts: Array.from({ length: 20 }, () => topic), finding }, 8)).toBe(67);
  expect(moreToSee({ alerts: [topic], finding: { ...finding, params: { alerts: 1 } } }, 8)).toBe(0);
});

test("what was never reviewed has a dash, not zero", () => {
  const [row] = fading([{ ...topic, retrieval_strength: null, retrieval_low: null, retrieval_high: null }], 1);
  expect(row?.figure).toBe("–");
  expect(row?.why).not.toContain("likely");
});
