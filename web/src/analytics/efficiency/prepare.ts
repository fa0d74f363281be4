// The row of figures on how the time was spent; each with its range or its n.
import type { Schemas } from "../../api/context";
import { minutes, percent, percentRange, plural } from "../../shared/numbers";
import type { NumberShown } from "../../shared/Numbers";

type Efficiency = Schemas["EfficiencyAnswer"];
type Measure = Schemas["Measure"];

function share(label: string, measure: Measure): NumberShown {
  const range = measure.interval ? `likely ${percentRange(measure.interval.low, measure.interval.high)}` : "";
  return { label, value: percent(measure.value), likely: range || plural(measure.n, "session", "sessions") };
}

function rate(label: string, measure: Measure): NumberShown {
  const value = measure.value == null ? "–" : measure.value.toFixed(1);
  const range = measure.interval ? `likely ${measure.interval.low.toFixed(1)} to ${measure.interval.high.toFixed(1)}` : "";
  return { label, value, likely: range || `n ${measure.n}` };
}

export function efficiencyFigures(data: Efficiency): NumberShown[] {
  const focus = data.focus_score.value;
  return [
    share("Active share of the time", data.efficiency),
    { label: "Active time", value: minutes(data.active_minutes), likely: `of ${minutes(data.total_minutes)}` },
    rate("Questions an hour", data.questions_per_hour),
    rate("Materials an hour", data.materials_per_hour),
    {
      label: "Focus score",
      value: focus == null ? "–" : String(Math.round(focus)),
      likely: focus == null ? "your client sends no pauses" : "of 100, a rule of thumb",
    },
  ];
}
