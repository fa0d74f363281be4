// What the card of due reviews lists: the topics that fade first.
import type { Schemas } from "../../api/context";
import type { Column } from "../../shared/csv";
import { percent, percentRange, plural } from "../../shared/numbers";

type TopicRecall = Schemas["TopicRecall"];

export interface FadingTopic {
  id: string;
  name: string;
  figure: string;
  why: string;
}

/** The alerts as the server orders them, at most `most`. */
export function fading(alerts: readonly TopicRecall[], most: number): FadingTopic[] {
  return alerts.slice(0, most).map((topic) => ({
    id: topic.topic_id,
    name: topic.name,
    figure: percent(topic.retrieval_strength),
    why: [
      topic.retrieval_low == null ? null : `recalled now, likely ${percentRange(topic.retrieval_low, topic.retrieval_high)}`,
      plural(topic.due, "review due", "reviews due"),
      `${plural(topic.items_remembered, "item", "items")} studied`,
    ]
      .filter(Boolean)
      .join(" · "),
  }));
}

/** How many topics need a look beyond the first `most`: the server counts all and lists the first of them. */
export function moreToSee(answer: Pick<Schemas["RetrievalAnswer"], "alerts" | "finding">, most: number): number {
  const all = Number(answer.finding.params?.["alerts"] ?? answer.alerts.length);
  return Math.max(0, all - Math.min(most, answer.alerts.length));
}

export const RETRIEVAL_COLUMNS: Column<TopicRecall>[] = [
  { header: "Topic", value: (t) => t.name },
  { header: "Retrievability (0 to 1)", value: (t) => t.retrieval_strength, numeric: true },
  { header: "Likely from", value: (t) => t.retrieval_low, numeric: true },
  { header: "to", value: (t) => t.retrieval_high, numeric: true },
  { header: "Due", value: (t) => t.due, numeric: true },
  { header: "Next review", value: (t) => t.next_review_on },
];
