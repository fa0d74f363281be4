// Retrieval strength: what is due now, and which topics fade.
import { TableBelow } from "../../charts/ChartFrame";
import { QueryCard } from "../../shared/QueryCard";
import { fading, moreToSee, RETRIEVAL_COLUMNS } from "./prepare";
import { useRetrieval } from "./query";

const MOST_ROWS = 8;

export function RetrievalCard() {
  return (
    <QueryCard title="Due reviews" query={useRetrieval()} className="third" minHeightPx={420} saysFinding>
      {(data) => (
        <>
          <p className="figure">{data.finding.text}</p>
          {data.alerts.length > 0 && (
            <ul className="ranked" aria-label="Topics that fade first">
              {fading(data.alerts, MOST_ROWS).map((topic) => (
                <li key={topic.id}>
                  <span>{topic.name}</span>
                  <span>{topic.figure}</span>
                  <span className="why">{topic.why}</span>
                </li>
              ))}
            </ul>
          )}
          {moreToSee(data, MOST_ROWS) > 0 && <p className="small muted">and {moreToSee(data, MOST_ROWS)} more</p>}
          {data.topics.length > 0 && (
            <TableBelow columns={RETRIEVAL_COLUMNS} rows={data.topics} caption="Retrievability by topic" name="retrieval" />
          )}
        </>
      )}
    </QueryCard>
  );
}
