// What the cohort card says: a band, never a rank; topics that many find hard, only where the server publishes them.
import type { Schemas } from "../../api/context";
import type { Column } from "../../shared/csv";
import { percent } from "../../shared/numbers";

type Cohort = Schemas["CohortAnswer"];
type Topic = Schemas["TopicOfClass"];

/** "between the 50th and 75th percentile of about 50 learners"; null where no band is published. */
export function bandText(band: Cohort["band"]): string | null {
  if (!band) return null;
  const group = `of about ${band.n} learners`;
  if (band.low <= 0) return `In the lowest ${Math.round(band.high * 100)} % ${group}`;
  if (band.high >= 1) return `In the highest ${Math.round((1 - band.low) * 100)} % ${group}`;
  return `Between the ${ordinal(band.low)} and the ${ordinal(band.high)} percentile ${group}`;
}

function ordinal(share: number): string {
  const n = Math.round(share * 100);
  const teens = n % 100 >= 11 && n % 100 <= 13;
  const ending = teens ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th");
  return `${n}${ending}`;
}

export interface HardTopic {
  id: string;
  name: string;
  share: string;
}

/** The topics that most struggle with, hardest first as the server orders them. */
export function hardTopics(topics: readonly Topic[], most: number): HardTopic[] {
  return topics
    .filter((topic) => topic.struggling != null)
    .slice(0, most)
    .map((topic) => ({ id: topic.topic_id, name: topic.name, share: `about ${percent(topic.struggling)}` }));
}

export const COHORT_COLUMNS: Column<Topic>[] = [
  { header: "Topic", value: (t) => t.name },
  { header: "Struggling (share, in steps of 0.05)", value: (t) => t.struggling, numeric: true },
  { header: "Difficulty (0 to 1)", value: (t) => t.difficulty, numeric: true },
  { header: "Median hours to mastery", value: (t) => t.median_hours, numeric: true },
  { header: "Learners (rounded to 5)", value: (t) => t.n, numeric: true },
];

type Learner = Schemas["LearnerOfClass"];

/** Why somebody needs a look, with the forecast where there is one: "few active days · 41 to 63 of 100". */
export function needLine(learner: Pick<Learner, "reasons" | "score_low" | "score_high">): string {
  const { score_low: low, score_high: high } = learner;
  const range = low == null || high == null ? [] : [`${Math.round(low)} to ${Math.round(high)} of 100`];
  return [...learner.reasons, ...range].join(" · ");
}

export const LEARNER_COLUMNS: Column<Learner>[] = [
  { header: "Learner (pseudonym)", value: (l) => l.user_id },
  { header: "Needs a look", value: (l) => (l.needs_a_look ? l.reasons.join(", ") : "no") },
  { header: "Forecast score (0 to 100)", value: (l) => l.score, numeric: true },
  { header: "Likely from", value: (l) => l.score_low, numeric: true },
  { header: "to", value: (l) => l.score_high, numeric: true },
  { header: "Active days of the last 28", value: (l) => l.active_days_28d, numeric: true },
  { header: "Weak topics", value: (l) => l.topics_weak, numeric: true },
];
