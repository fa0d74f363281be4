// The week as seven cells: minutes as a shade and in words.
import type { Schemas } from "../../api/context";
import { minutes, plural } from "../../shared/numbers";

type DayCell = Schemas["DayCell"];

export interface WeekCell {
  day: string;
  letter: string;
  heat: 0 | 1 | 2 | 3 | 4;
  words: string;
}

const STEPS_MINUTES = [1, 20, 45, 90] as const;

/** 0 for nothing, then four steps: up to 20, 45, 90 minutes, and more. */
export function heatOf(activeMinutes: number): WeekCell["heat"] {
  return STEPS_MINUTES.filter((step) => activeMinutes >= step).length as WeekCell["heat"];
}

export function weekCells(days: readonly DayCell[]): WeekCell[] {
  return days.map((day) => {
    // A calendar day, not an instant: read and named in UTC so that no zone can shift it.
    const date = new Date(`${day.day}T00:00:00Z`);
    const name = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "UTC" });
    return {
      day: day.day,
      letter: new Intl.DateTimeFormat("en-GB", { weekday: "narrow", timeZone: "UTC" }).format(date),
      heat: heatOf(day.minutes),
      words: `${name.format(date)}: ${minutes(day.minutes)}, ${plural(day.questions, "question", "questions")}, ${plural(day.reviews, "review", "reviews")}`,
    };
  });
}
