// What the mastery card draws: a bar for each group of the exam, heaviest first.
import type { Schemas } from "../../api/context";
import type { Bar } from "../../charts/Bars";
import type { Column } from "../../shared/csv";
import { percent, percentRange, plural } from "../../shared/numbers";

type Group = Schemas["Group"];

export function groupsByWeight(groups: readonly Group[]): Group[] {
  return groups.toSorted((a, b) => (b.exam_weight ?? 0) - (a.exam_weight ?? 0) || a.name.localeCompare(b.name));
}

export function masteryBars(groups: readonly Group[]): Bar[] {
  return groupsByWeight(groups).map((group) => ({
    id: group.topic_id,
    name: group.name,
    value: group.mastery,
    low: group.low,
    high: group.high,
    target: group.target,
    missing: group.n > 0 ? "too few" : "not seen",
    words: masteryWords(group),
  }));
}

function masteryWords(group: Group): string {
  const seen = `${group.topics_seen} of ${plural(group.topics, "topic", "topics")} seen`;
  if (group.mastery == null) return `${group.name}: not known yet, ${plural(group.n, "answer", "answers")}, ${seen}`;
  return `${group.name}: ${percent(group.mastery)}, likely ${percentRange(group.low, group.high)}, ${plural(group.n, "answer", "answers")}, ${seen}`;
}

export const MASTERY_COLUMNS: Column<Group>[] = [
  { header: "Group", value: (g) => g.name },
  { header: "Mastery (0 to 1)", value: (g) => g.mastery, numeric: true },
  { header: "Likely from", value: (g) => g.low, numeric: true },
  { header: "to", value: (g) => g.high, numeric: true },
  { header: "Coverage (0 to 1)", value: (g) => g.coverage, numeric: true },
  { header: "Answers", value: (g) => g.n, numeric: true },
  { header: "Exam share (0 to 1)", value: (g) => g.exam_weight, numeric: true },
];
