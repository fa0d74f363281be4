// Study efficiency: how much of the time was active, and how much was done in it.
import { Numbers } from "../../shared/Numbers";
import { QueryCard } from "../../shared/QueryCard";
import { efficiencyFigures } from "./prepare";
import { useEfficiency } from "./query";

export function EfficiencyCard() {
  return (
    <QueryCard title="Study efficiency" query={useEfficiency()} className="third" minHeightPx={260}>
      {(data) => <Numbers figures={efficiencyFigures(data)} />}
    </QueryCard>
  );
}
