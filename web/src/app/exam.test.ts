import { expect, test } from "vitest";
import { choiceOf, examWhen, sameMinutes } from "./exam";

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

test("an exam is ahead, today, or over; without a day nothing is said", () => {
  const when = (exam_on: string | null, days_to_exam: number | null) => examWhen({ exam: { ...weekdays, exam_on }, today: "2026-11-22", days_to_exam });
  expect([when("2026-12-02", 10), when("2026-11-23", 1), when("2026-11-22", 0)]).toEqual(["in 10 days", "in 1 day", "today"]);
  expect([when("2020-01-01", 0), when(null, null)]).toEqual(["is over", ""]);
});
