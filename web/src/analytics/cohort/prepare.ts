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
