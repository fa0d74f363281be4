// The week as seven cells: minutes as a shade and in words.
import type { Schemas } from "../../api/context";
import type { Column } from "../../shared/csv";
import { minutes, percent, plural } from "../../shared/numbers";

type DayCell = Schemas["DayCell"];

export interface WeekCell {
  day: string;
  letter: string;
  /** Minutes as a bare figure; nothing on a day without study. */
  minutes: string;
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
      minutes: day.minutes < 1 ? "" : String(Math.round(day.minutes)),
      heat: heatOf(day.minutes),
      words: `${name.format(date)}: ${minutes(day.minutes)}, ${plural(day.questions, "question", "questions")}, ${plural(day.reviews, "review", "reviews")}`,
    };
  });
}

export const WEEK_COLUMNS: Column<DayCell>[] = [
  { header: "Day", value: (d) => d.day },
  { header: "Minutes", value: (d) => Math.round(d.minutes), numeric: true },
  { header: "Questions", value: (d) => d.questions, numeric: true },
  { header: "Reviews", value: (d) => d.reviews, numeric: true },
  { header: "Sessions", value: (d) => d.sessions, numeric: true },
];

type Patterns = Schemas["PatternsAnswer"];

const KINDS: Readonly<Record<string, string>> = { questions: "questions", cards: "cards", coach: "the coach", case: "cases" };
const MOST_KINDS = 3;

/** When, on what and with which breaks: a line for each that is known. A few days are no habit: then no usual hour. */
export function habitLines(data: Pick<Patterns, "timing" | "preferences" | "breaks">, isHabit: boolean): string[] {
  const { usual_hour: hour, spread_hours: spread } = data.timing;
  const kinds = data.preferences
    .filter((one) => one.kind !== "other")
    .slice(0, MOST_KINDS)
    .map((one) => `${KINDS[one.kind] ?? one.kind} ${percent(one.share)}`);
  const { n, median_minutes: length } = data.breaks;
  return [
    ...(hour == null || !isHabit ? [] : [`Usually from ${clock(hour)}${spread == null ? "" : `, give or take ${hours(spread)}`}.`]),
    ...(kinds.length > 0 ? [`Time goes to ${kinds.join(", ")}.`] : []),
    ...(n > 0 && length != null ? [`${plural(n, "break", "breaks")} in 90 days, about ${Math.round(length)} min each.`] : []),
  ];
}

function clock(hour: number): string {
  const inMinutes = Math.round(hour * 4) * 15;
  return `${String(Math.floor(inMinutes / 60) % 24).padStart(2, "0")}:${String(inMinutes % 60).padStart(2, "0")}`;
}

function hours(spread: number): string {
  return spread < 1 ? `${Math.round(spread * 60)} min` : `${spread.toFixed(1)} h`;
}
