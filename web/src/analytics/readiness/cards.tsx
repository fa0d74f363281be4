// Exam readiness: the forecast with its range, and where points are lost.
import { Arc } from "../../charts/Arc";
import { ChartFrame } from "../../charts/ChartFrame";
import { Numbers } from "../../shared/Numbers";
import { QueryCard } from "../../shared/QueryCard";
import { asShare, gaugeText, readinessFigures, SECTION_COLUMNS, sectionsByLoss } from "./prepare";
import { useReadiness } from "./query";

export function ReadinessCard() {
  return (
    <QueryCard title="Exam readiness" query={useReadiness()} className="third" minHeightPx={420} saysFinding>
      {(data) => {
        const score = asShare(data.predicted_score);
        return (
        <ChartFrame
          finding={data.finding.text}
          name="readiness"
          columns={SECTION_COLUMNS}
          rows={sectionsByLoss(data.sections)}
        >
          <Arc
            label="Predicted share of the exam's points"
            value={score.value}
            low={score.interval?.low ?? null}
            high={score.interval?.high ?? null}
            passLine={data.cut}
            text={gaugeText(data)}
          />
          <Numbers figures={readinessFigures(data)} />
          {data.calibration === "uncalibrated" && score.value != null && (
            <p className="small muted">
              Not checked against enough exam results yet ({data.model_report.outcomes}): read the range.
            </p>
          )}
          {data.model_report.forecasts > 0 && (
            <p className="small muted">
              Of {data.model_report.forecasts} forecasts a week before the exam, {data.model_report.held} held.
            </p>
          )}
        </ChartFrame>
        );
      }}
    </QueryCard>
  );
}
