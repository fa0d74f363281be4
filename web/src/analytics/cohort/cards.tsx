// The cohort: where the class stands, and roughly the learner in it.
import { DataTable } from "../../charts/ChartFrame";
import { QueryCard } from "../../shared/QueryCard";
import { bandText, COHORT_COLUMNS, hardTopics } from "./prepare";
import { useCohort } from "./query";

const MOST_ROWS = 3;

export function CohortCard() {
  return (
    <QueryCard title="Your cohort" query={useCohort()} className="third" minHeightPx={260}>
      {(data) => (
        <>
          {data.band && <p>{bandText(data.band)}</p>}
          <ul className="ranked" aria-label="Topics that many find hard">
            {hardTopics(data.topics, MOST_ROWS).map((topic) => (
              <li key={topic.id}>
                <span>{topic.name}</span>
                <span>{topic.share} struggle</span>
              </li>
            ))}
          </ul>
          {data.topics.length > 0 && (
            <details className="chart-table">
              <summary>Show as table</summary>
              <DataTable columns={COHORT_COLUMNS} rows={data.topics} caption="Topics of the class" />
            </details>
          )}
        </>
      )}
    </QueryCard>
  );
}
