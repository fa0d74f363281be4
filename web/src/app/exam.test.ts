import { expect, test } from "vitest";
import { choiceOf, sameMinutes } from "./exam";

function fields(values: Record<string, string>): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries({ exam_id: "usmle-step-1", exam_on: "2027-03-14", minutes: "", goal: "", ...values })) made.set(name, value);
  return made;
}

const weekdays = { exam_id: "usmle-step-1", exam_on: "2027-03-14", minutes_per_day: [45, 60, 60, 60, 45, 90, 30], goal_score: 0.7 };

test("minutes are the same on every weekday, a goal is a share", () => {
  expect(choiceOf(fields({ minutes: "50", goal: "72" }), null)).toEqual({
    exam_id: "usmle-step-1",
    exam_on: "2027-03-14",
    minutes_per_day: [50, 50, 50, 50, 50, 50, 50],
    goal_score: 0.72,
  });
});

test("left empty, a plan by weekday stays, and one figure for all days is taken back", () => {
  expect(choiceOf(fields({}), weekdays).minutes_per_day).toEqual(weekdays.minutes_per_day);
  expect(choiceOf(fields({}), { ...weekdays, minutes_per_day: [60, 60, 60, 60, 60, 60, 60] }).minutes_per_day).toBeNull();
  expect(choiceOf(fields({}), null)).toMatchObject({ minutes_per_day: null, goal_score: null });
});

test("one figure is shown only where it holds for every day", () => {
  expect(sameMinutes([60, 60, 60, 60, 60, 60, 60])).toBe(60);
  expect(sameMinutes(weekdays.minutes_per_day)).toBeNull();
  expect(sameMinutes(null)).toBeNull();
});
