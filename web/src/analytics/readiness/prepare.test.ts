import { expect, test } from "vitest";
import { gaugeText, readinessFigures, sectionsByLoss } from "./prepare";

type Readiness = Parameters<typeof gaugeText>[0];
const interval = (low: number, high: number) => ({ low, high, level: 0.9 });
const data: Readiness = {
  as_of: "2026-11-22T02:00:00Z", calibration: "uncalibrated", coverage: 0.41, cut: 0.6, days_left: 18,
  days_until_ready: { low: 17, high: 34, median: 23, minutes_per_day: 45, share_never: 0.1, is_before_exam: true },
  exam_id: "e", model_report: { brier: {}, forecasts: 0, held: 0, outcomes: 0, says: "x", scores: 0, source: "closed_form", trained_until: null, version: null },
  exam_name: "Exam", exam_on: "2026-12-10", exam_ready_probability: 0.7, features: {},
  finding: { code: "x", params: {}, text: "x" }, findings: [], interval: null, model_version: "1", n: 400,
  pass_probability: { value: 0.7, interval: interval(0.5, 0.85) }, predicted_score: { value: 68, interval: interval(61, 74) },
  projection: [], readiness_score: { value: 60, interval: interval(50, 70) }, sections: [], source: "closed_form",
  state: "ready", status: "ok",
};

test("the gauge says value, range and pass line", () => {
  expect(gaugeText(data)).toBe("68 %, likely 61 to 74. Pass line 60 %.");
  expect(gaugeText({ ...data, cut: null })).toBe("68 %, likely 61 to 74.");
});

test("no figure stands without its range", () => {
  const [score, , pass] = readinessFigures({ ...data, pass_probability: { value: 0.7, interval: null } });
  expect(score).toEqual({ label: "Predicted score", value: "68 %", likely: "likely 61 to 74" });
  expect(pass).toEqual({ label: "Chance to pass", value: "–", likely: "not known yet" });
});

test("no forecast is said to be certain", () => {
  const said = (value: number, low: number, high: number) =>
    readinessFigures({ ...data, pass_probability: { value, interval: interval(low, high) } })[2];
  expect(said(0.7, 0.5, 0.85)).toEqual({ label: "Chance to pass", value: "70 %", likely: "likely 50 to 85" });
  expect(said(0.9991, 0.9958, 0.9999)).toEqual({ label: "Chance to pass", value: "over 99 %", likely: "likely over 99" });
  expect(said(0.96, 0.84, 0.998)?.likely).toBe("likely over 84");
  expect(said(0.004, 0.0001, 0.12)).toEqual({ label: "Chance to pass", value: "under 1 %", likely: "likely under 12" });
  expect(said(0.5, 0.001, 0.999)?.likely).toBe("likely 0 to 100");
});

test("days until ready are silent where the score cannot be told", () => {
  const unknown = { ...data, predicted_score: { value: null, interval: null } };
  expect(readinessFigures(unknown).at(-1)).toEqual({ label: "Exam-ready in", value: "–", likely: "not known yet" });
  expect(readinessFigures(data).at(-1)?.likely).toBe("likely 17 to 34");
  const ready = { ...data, days_until_ready: { ...data.days_until_ready, median: 0, low: 0, high: 3 } };
  expect(readinessFigures(ready).at(-1)).toEqual({ label: "Exam-ready", value: "now", likely: "likely 0 to 3 days" });
  const surely = { ...ready, days_until_ready: { ...ready.days_until_ready, low: 0, high: 0 } };
  expect(readinessFigures(surely).at(-1)).toEqual({ label: "Exam-ready", value: "now", likely: "" });
  const late = { ...data, days_until_ready: { ...data.days_until_ready, is_before_exam: false } };
  expect(readinessFigures(late).at(-1)?.likely).toBe("not before the exam at this pace");
});

test("the section that costs most comes first", () => {
  const section = (name: string, points: number) => ({
    section: name, name, weight: 0.1, expected: 0.5, coverage: 1, points_to_gain: points, n: 10, is_weak: false, below_cut: 0.5,
  });
  expect(sectionsByLoss([section("a", 1), section("b", 3)]).map((s) => s.name)).toEqual(["b", "a"]);
});
