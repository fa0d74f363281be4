// What the list of gaps shows: severity in words, hours with their range, and why the gap matters.
import type { Schemas } from "../../api/context";
import type { Column } from "../../shared/csv";
import { percent, percentRange, plural } from "../../shared/numbers";

type Gap = Schemas["GapOut"];

export interface GapRow {
  id: string;
  name: string;
  level: string;
  severity: string;
  icon: string;
  why: string;
}

const ICONS: Record<string, string> = { critical: "▲", high: "△", medium: "◆", low: "◇" };

export function gapRows(gaps: readonly Gap[], most: number): GapRow[] {
  return gaps.slice(0, most).map((gap) => {
    const level = gap.severity ?? "not rated";
    return { id: gap.topic_id, name: gap.name, level, severity: severityText(gap), icon: ICONS[level] ?? "○", why: reasons(gap) };
  });
}

/** "critical", "critical, provisional"; "critical by its cards" where no question tells of the topic. */
function severityText(gap: Gap): string {
  const level = gap.severity ?? "not rated";
  if (gap.severity != null && gap.told_by === "cards") return `${level} by its cards`;
  return gap.is_provisional ? `${level}, provisional` : level;
}

function reasons(gap: Gap): string {
  const share = gap.exam_share > 0 ? `${(gap.exam_share * 100).toFixed(1)} % of the exam` : null;
  const blocks = gap.blocks_count > 0 ? `blocks ${gap.blocks_count}` : null;
  return [masteryText(gap), share, hoursText(gap.hours), blocks].filter(Boolean).join(" · ");
}

/** "mastery 31 % (22 to 40)"; of few answers the range alone, as the figure in it would feign to know. */
function masteryText(gap: Gap): string {
  if (gap.told_by === "cards") return recallText(gap);
  if (gap.mastery == null) return "not known yet";
  const range = percentRange(gap.mastery_low, gap.mastery_high);
  if (gap.state === "insufficient_data") return `${plural(gap.n, "answer", "answers")}: mastery may be ${range} %`;
  return `mastery ${percent(gap.mastery)} (${range})`;
}

/** "recall of its cards 41 % (35 to 48), no question answered": what cards alone tell. */
function recallText(gap: Gap): string {
  if (gap.recall == null) return "no question answered";
  return `recall of its cards ${percent(gap.recall)} (${percentRange(gap.recall_low, gap.recall_high)}), no question answered`;
}

/** "about 6 h (4 to 9)", "about 10 min (5 min to 1 h)"; nothing where it is not known. */
export function hoursText(hours: Gap["hours"]): string | null {
  if (hours.median == null) return null;
  const { low, high } = hours;
  if (low == null || high == null) return `about ${spoken(hours.median)}`;
  const range = low < 1 ? `${spoken(low)} to ${spoken(high)}` : `${Math.round(low)} to ${Math.round(high)}`;
  return `about ${spoken(hours.median)} (${range})`;
}

const MINUTES_STEP = 5;

/** Whole hours; under one, minutes in fives, as more would feign to know. */
function spoken(hours: number): string {
  if (hours >= 1) return `${Math.round(hours)} h`;
  return `${Math.max(1, Math.round((hours * 60) / MINUTES_STEP)) * MINUTES_STEP} min`;
}

export const GAP_COLUMNS: Column<Gap>[] = [
  { header: "Rank", value: (g) => g.rank, numeric: true },
  { header: "Topic", value: (g) => g.name },
  { header: "Severity", value: severityText },
  { header: "Mastery (0 to 1)", value: (g) => g.mastery, numeric: true },
  { header: "Recall of cards alone (0 to 1)", value: (g) => g.recall, numeric: true },
  { header: "Priority (brief)", value: (g) => g.priority_score, numeric: true },
  { header: "Priority index (0 to 100)", value: (g) => g.priority_index, numeric: true },
  { header: "Hours", value: (g) => g.hours.median, numeric: true },
  { header: "Blocks", value: (g) => g.blocks_count, numeric: true },
  { header: "Answers", value: (g) => g.n, numeric: true },
];
