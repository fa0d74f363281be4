// What the form of the exam means: PURE, from fields to the choice that is sent.
import type { Schemas } from "../api/context";
import { plural } from "../shared/numbers";

type Choice = Schemas["ExamChoice"];
const WEEKDAYS = 7;

/** One figure where every weekday has the same, null where they differ or nothing is planned. */
export function sameMinutes(week: readonly number[] | null | undefined): number | null {
  const [first, ...others] = week ?? [];
  return first !== undefined && others.every((minutes) => minutes === first) ? first : null;
}

/** How far off the exam is, in the learner's own days; nothing without a day. */
export function examWhen({ exam, today, days_to_exam: days }: Pick<Schemas["Me"], "exam" | "today" | "days_to_exam">): string {
  if (exam?.exam_on == null || days == null) return "";
  if (exam.exam_on < today) return "is over";
  return days === 0 ? "today" : `in ${plural(days, "day", "days")}`;
}

/** Empty minutes keep the weekdays as they were planned; an empty goal is no goal. */
export function choiceOf(fields: FormData, before: Choice | null | undefined): Choice {
  const text = (name: string) => String(fields.get(name) ?? "").trim();
  const minutes = text("minutes");
  const goal = text("goal");
  const kept = sameMinutes(before?.minutes_per_day) == null ? (before?.minutes_per_day ?? null) : null;
  return {
    exam_id: text("exam_id"),
    exam_on: text("exam_on") || null,
    minutes_per_day: minutes === "" ? kept : Array.from({ length: WEEKDAYS }, () => Math.round(Number(minutes))),
    goal_score: goal === "" ? null : Number(goal) / 100,
  };
}
