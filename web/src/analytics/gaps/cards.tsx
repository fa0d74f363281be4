// Knowledge gaps: what to mend, worst first.
import { TableBelow } from "../../charts/ChartFrame";
import { QueryCard } from "../../shared/QueryCard";
import { GAP_COLUMNS, gapRows } from "./prepare";
import { useGaps } from "./query";

const MOST_ROWS = 5;

export function GapsCard() {
  return (
    <QueryCard title="Knowledge gaps" query={useGaps()} className="two-thirds" minHeightPx={360}>
      {(data) => (
        <>
          {data.gaps.length > 0 && (
            <ol className="ranked" aria-label="Gaps, most worthwhile first">
              {gapRows(data.gaps, MOST_ROWS).map((gap) => (
                <li key={gap.id}>
                  <span>{gap.name}</span>
                  <span className={`badge badge-${gap.level}`}>
                    <span aria-hidden="true">{gap.icon}</span> {gap.severity}
                  </span>
                  <span className="why">{gap.why}</span>
                </li>
              ))}
            </ol>
          )}
          {data.gaps.slice(0, MOST_ROWS).some((gap) => gap.told_by === "cards") && (
            <p className="small muted">
              By its cards: no question of the topic was answered yet, so its mastery is not known. It is rated by how its
              cards were passed, how well you would recall them now, and what of it you have read.
            </p>
          )}
          {data.gaps.slice(0, MOST_ROWS).some((gap) => gap.is_provisional && gap.told_by !== "cards") && (
            <p className="small muted">
              Severity counts recall and reading, too, so a topic can be answered well and still be a gap. Provisional: its
              mastery may well be above 60 %.
            </p>
          )}
          {data.gaps.length > 0 && (
            <TableBelow columns={GAP_COLUMNS} rows={data.gaps} caption="Knowledge gaps" name="knowledge-gaps" />
          )}
        </>
      )}
    </QueryCard>
  );
}
