// Mastery: what the learner knows, by group of the exam.
import { Bars } from "../../charts/Bars";
import { ChartFrame } from "../../charts/ChartFrame";
import { QueryCard } from "../../shared/QueryCard";
import { groupsByWeight, MASTERY_COLUMNS, masteryBars } from "./prepare";
import { useMastery } from "./query";

export function MasteryCard() {
  return (
    <QueryCard title="Mastery" query={useMastery()} className="two-thirds" minHeightPx={420}>
      {(data) => (
        <ChartFrame
          finding="The bar is where your knowledge of a group likely lies; the mark in it is the best guess, the dashed line is mastered."
          name="mastery"
          columns={MASTERY_COLUMNS}
          rows={groupsByWeight(data.groups)}
        >
          <Bars label="Mastery by group of the exam" bars={masteryBars(data.groups)} />
        </ChartFrame>
      )}
    </QueryCard>
  );
}
