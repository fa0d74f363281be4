import { expect, test } from "vitest";
import type { Schemas } from "../../api/context";
import { groupsByWeight, MASTERY_COLUMNS, masteryBars } from "./prepare";

const group = (name: string, more: Partial<Schemas["Group"]> = {}): Schemas["Group"] => ({
  topic_id: name.toLowerCase(),
  name,
  coverage: 0.5,
  mastery: 0.61,
  low: 0.54,
  high: 0.68,
  n: 31,
  exam_weight: 0.1,
  target: 0.8,
  topics: 12,
  topics_seen: 6,
  ...more,
});

test("the heaviest part of the exam comes first, and equals keep the alphabet", () => {
  const groups = [group("Renal"), group("Blood"), group("Heart", { exam_weight: 0.2 })];
  expect(groupsByWeight(groups).map((g) => g.name)).toEqual(["Heart", "Blood", "Renal"]);
});

test("a bar says its value, range and size in words", () => {
  expect(masteryBars([group("Renal")])[0]?.words).toBe("Renal: 61 %, likely 54 to 68, 31 answers, 6 of 12 topics seen");
});

test("an unseen group has no value: not known is not zero", () => {
  const [bar] = masteryBars([group("Skin", { mastery: null, low: null, high: null, n: 0, topics_seen: 0 })]);
  expect(bar?.value).toBeNull();
  expect(bar?.missing).toBe("not seen");
  expect(masteryBars([group("Skin", { mastery: null, low: null, high: null, n: 14 })])[0]?.missing).toBe("too few");
  expect(bar?.words).toBe("Skin: not known yet, 0 answers, 0 of 12 topics seen");
});

test("the table holds the numbers that the bars draw", () => {
  const groups = [group("Renal"), group("Skin", { mastery: null })];
  for (const [at, bar] of masteryBars(groups).entries()) {
    expect(MASTERY_COLUMNS[1]?.value(groupsByWeight(groups)[at]!)).toBe(bar.value);
  }
});
