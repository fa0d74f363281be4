import { expect, test } from "vitest";
import { habitLines, heatOf, weekCells } from "./prepare";

test("nothing has the lightest shade, and steps begin where they say", () => {
  expect([0, 0.5, 1, 19, 20, 44, 45, 89, 90, 600].map(heatOf)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
});

test("a calendar day keeps its name in every zone", () => {
  const [cell] = weekCells([{ day: "2026-03-29", is_study_day: true, minutes: 80, questions: 1, reviews: 15, sessions: 2 }]);
  expect(cell).toEqual({ day: "2026-03-29", letter: "S", minutes: "80", heat: 3, words: "Sunday 29 March: 1 h 20 min, 1 question, 15 reviews" });
});

test("a day without study has no figure", () => {
  expect(weekCells([{ day: "2026-03-29", is_study_day: false, minutes: 0.4, questions: 0, reviews: 0, sessions: 0 }])[0]?.minutes).toBe("");
});

test("habits are told a line each, and nothing is told of what is not known", () => {
  const interval = { low: 0, high: 1, level: 0.9 };
  const timing = { usual_hour: 23.9, spread_hours: 0.5, minutes_by_hour: {} };
  const preferences = ["text", "coach", "other", "cards", "video"].map((kind) => ({ kind, share: 0.2, interval }));
  expect(habitLines({ timing, preferences, breaks: { n: 1, per_hour: 0.3, median_minutes: 8.4 } }, true)).toEqual([
    "Usually from 00:00, give or take 30 min.",
    "Time goes to text 20 %, the coach 20 %, cards 20 %.",
    "1 break in 90 days, about 8 min each.",
  ]);
  const nothing = { usual_hour: null, spread_hours: null, minutes_by_hour: {} };
  expect(habitLines({ timing: nothing, preferences: [], breaks: { n: 0, per_hour: null, median_minutes: null } }, true)).toEqual([]);
  expect(habitLines({ timing, preferences: [], breaks: { n: 0, per_hour: null, median_minutes: null } }, false)).toEqual([]);
});
