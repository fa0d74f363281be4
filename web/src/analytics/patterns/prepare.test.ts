import { expect, test } from "vitest";
import { heatOf, weekCells } from "./prepare";

test("nothing has the lightest shade, and steps begin where they say", () => {
  expect([0, 0.5, 1, 19, 20, 44, 45, 89, 90, 600].map(heatOf)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
});

test("a calendar day keeps its name in every zone", () => {
  const [cell] = weekCells([{ day: "2026-03-29", is_study_day: true, minutes: 80, questions: 1, reviews: 15, sessions: 2 }]);
  expect(cell).toEqual({ day: "2026-03-29", letter: "S", heat: 3, words: "Sunday 29 March: 1 h 20 min, 1 question, 15 reviews" });
});
