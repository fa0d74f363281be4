import { expect, test } from "vitest";
import { blockText, choices, suretyText } from "./prepare";

type Plan = Parameters<typeof choices>[0];
const block = (name: string, kind = "questions"): NonNullable<Plan["block"]> => ({
  items: kind === "review" ? 40 : null,
  kind,
  minutes: 25,
  name,
  reason: { code: "plan.reason", params: {}, text: "Weak, 1 % of the exam." },
  topic_id: "t",
});
const plan: Plan = {
  alternatives: [block("Renal")],
  as_of: "2026-11-22T02:00:00Z",
  block: block("Shock"),
  days: [],
  exam_on: null,
  finding: { code: "plan.today", params: {}, text: "Shock first." },
  interval: null,
  minutes: 45,
  minutes_from: "plan",
  model_version: "plan-1",
  n: 10,
  review_plan: null,
  state: "ready",
  surety: 0.72,
};

test("the decision comes first, what else would do after it", () => {
  expect(choices(plan).map((b) => b.name)).toEqual(["Shock", "Renal"]);
  expect(choices({ ...plan, block: null, alternatives: [] })).toEqual([]);
});

test("a block is said as something to do", () => {
  expect(blockText(block("Shock"))).toBe("Answer questions on Shock for 25 min");
  expect(blockText(block("due cards", "review"))).toBe("Do your reviews for 25 min: 40 cards");
});

test("how sure is said in words, and nothing where it is not known", () => {
  expect(suretyText(0.9)).toMatch(/^Quite sure/);
  expect(suretyText(0.72)).toContain("72 of 100");
  expect(suretyText(0.2)).toMatch(/^A close call/);
  expect(suretyText(null)).toBeNull();
});
