// What the readiness card says in words: score, pass probability, days. No bare percent without its range.
import type { Schemas } from "../../api/context";
import type { Column } from "../../shared/csv";
import { chance, chanceRange, percent, percentRange, plural } from "../../shared/numbers";

type Readiness = Schemas["ReadinessAnswer"];
type Section = Schemas["SectionOut"];
type Likely = Schemas["Likely"];

export interface Figure {
  label: string;
  value: string;
  likely: string;
}

/** Scores come as 0 to 100, probabilities as 0 to 1: here both are shares. */
export function asShare(score: Likely): Likely {
  const { value, interval } = score;
  return {
    value: value == null ? null : value / 100,
    interval: interval ? { ...interval, low: interval.low / 100, high: interval.high / 100 } : null,
  };
}

function likely(label: string, figure: Likely): Figure {
  const range = figure.interval ? percentRange(figure.interval.low, figure.interval.high) : "";
  return { label, value: range ? percent(figure.value) : "–", likely: range ? `likely ${range}` : "not known yet" };
}

function passing({ value, interval }: Likely): Figure {
  const range = interval ? chanceRange(interval.low, interval.high) : "";
  return { label: "Chance to pass", value: range ? chance(value) : "–", likely: range ? `likely ${range}` : "not known yet" };
}

/** A forecast whose calibration is not known is shown as a range in words, never as a bare percent. */
export function readinessFigures(data: Readiness): Figure[] {
  return [
    likely("Predicted score", asShare(data.predicted_score)),
    likely("Of the way to mastery", asShare(data.readiness_score)),
    passing(data.pass_probability),
    { label: "Exam covered", value: percent(data.coverage), likely: "of its points, with 5 answers or more" },
    readyIn(data),
  ];
}

/** Days until ready say nothing where the score itself cannot be told. */
function readyIn({ days_until_ready: days, predicted_score: score }: Readiness): Figure {
  const label = "Exam-ready in";
  if (score.value == null) return { label, value: "–", likely: "not known yet" };
  if (days.median == null || days.is_before_exam === false) return { label, value: "–", likely: "not before the exam at this pace" };
  const range = days.low == null || days.high == null ? "" : `likely ${days.low} to ${days.high}`;
  if (days.median === 0) return { label: "Exam-ready", value: "now", likely: days.high ? `${range} days` : "" };
  return { label, value: plural(days.median, "day", "days"), likely: range };
}

export function gaugeText(data: Readiness): string {
  const { value, interval } = asShare(data.predicted_score);
  if (value == null) return "Not known yet";
  const range = interval ? `, likely ${percentRange(interval.low, interval.high)}` : "";
  return `${percent(value)}${range}.${data.cut == null ? "" : ` Pass line ${percent(data.cut)}.`}`;
}

export function sectionsByLoss(sections: readonly Section[]): Section[] {
  return sections.toSorted((a, b) => b.points_to_gain - a.points_to_gain);
}

export const SECTION_COLUMNS: Column<Section>[] = [
  { header: "Section", value: (s) => s.name },
  { header: "Share of the exam (0 to 1)", value: (s) => s.weight, numeric: true },
  { header: "Expected (0 to 1)", value: (s) => s.expected, numeric: true },
  { header: "Coverage (0 to 1)", value: (s) => s.coverage, numeric: true },
  { header: "Points to gain", value: (s) => s.points_to_gain, numeric: true },
  { header: "Answers", value: (s) => s.n, numeric: true },
];
