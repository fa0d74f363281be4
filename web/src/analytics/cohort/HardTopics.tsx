// The topics of the class with which most struggle, and all of them as a table.
import type { Schemas } from "../../api/context";
import { DataTable } from "../../charts/ChartFrame";
import { COHORT_COLUMNS, hardTopics } from "./prepare";

export function HardTopics({ topics, most }: { topics: readonly Schemas["TopicOfClass"][]; most: number }) {
  return (
    <>
      <ul className="ranked" aria-label="Topics that many find hard">
        {hardTopics(topics, most).map((topic) => (
          <li key={topic.id}>
            <span>{topic.name}</span>
            <span>{topic.share} struggle</span>
          </li>
        ))}
      </ul>
      {topics.length > 0 && (
        <details className="chart-table">
          <summary>Show as table</summary>
          <DataTable columns={COHORT_COLUMNS} rows={topics} caption="Topics of the class" />
        </details>
      )}
    </>
  );
}
