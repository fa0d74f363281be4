import { expect, test } from "vitest";
import { bandText, hardTopics, needLine } from "./prepare";

test("a band is told as a band, with about how many", () => {
  expect(bandText({ low: 0.5, high: 0.75, n: 50 })).toBe("Between the 50th and the 75th percentile of about 50 learners");
  expect(bandText({ low: 0.9, high: 1, n: 50 })).toBe("In the highest 10 % of about 50 learners");
  expect(bandText({ low: 0, high: 0.25, n: 20 })).toBe("In the lowest 25 % of about 20 learners");
  expect(bandText(null)).toBeNull();
});

test("a suppressed topic is not listed, and nothing is made up in its place", () => {
  const topic = (name: string, struggling: number | null) => ({
    topic_id: name, name, struggling, difficulty: null, median_hours: null, n: null, suppressed: struggling == null ? "minimum" : null,
    finding: { code: "x", params: {}, text: "x" },
  });
  expect(hardTopics([topic("a", 0.45), topic("b", null), topic("c", 0.3)], 5)).toEqual([
    { id: "a", name: "a", share: "about 45 %" },
    { id: "c", name: "c", share: "about 30 %" },
  ]);
});

test("a learner who needs a look comes with the reason and the range of the forecast", () => {
  expect(needLine({ reasons: ["few active days"], score_low: 41.2, score_high: 62.9 })).toBe("few active days · 41 to 63 of 100");
  expect(needLine({ reasons: ["few active days"], score_low: null, score_high: null })).toBe("few active days");
});
