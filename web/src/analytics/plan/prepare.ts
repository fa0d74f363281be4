// The one decision in words: what, how long, why, how sure.
import type { Schemas } from "../../api/context";
import { minutes, plural } from "../../shared/numbers";

type Plan = Schemas["PlanAnswer"];
type Block = Schemas["BlockOut"];

/** The block that stands first, then the others: pressing "another" goes round. */
export function choices(plan: Plan): Block[] {
  return plan.block ? [plan.block, ...plan.alternatives] : plan.alternatives;
}

export function blockText(block: Block): string {
  if (block.kind === "review") {
    const items = block.items == null ? "" : `: ${plural(block.items, "card", "cards")}`;
    return `Do your reviews for ${minutes(block.minutes)}${items}`;
  }
  return `Answer questions on ${block.name} for ${minutes(block.minutes)}`;
}

/** How sure the first choice is, in words that a person uses. */
export function suretyText(surety: number | null): string | null {
  if (surety == null) return null;
  const often = `it stays first in ${Math.round(surety * 100)} of 100 draws from what is known`;
  if (surety >= 0.8) return `Quite sure: ${often}.`;
  if (surety >= 0.5) return `Fairly sure: ${often}.`;
  return `A close call: ${often}. Another would do nearly as well.`;
}
