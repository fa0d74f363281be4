// The topics of the class with which most struggle, and all of them as a table.
import type { Schemas } from "../../api/context";
import { TableBelow } from "../../charts/ChartFrame";
import { COHORT_COLUMNS, hardTopics } from "./prepare";

export function HardTopics({ topics, most }: { topics: readonly Schemas["TopicOfClass"][]; most: number }) {
  const hard = hardTopics(topics, most);
  return (
    <>
      {/* In a week whose topics all have too few learners none is told, and a list of nothing is not shown. */}
      {hard.length > 0 && (
        <ul className="ranked" aria-label="Topics that many find hard">
          {hard.map((topic) => (
            <li key={topic.id}>
              <span>{topic.name}</span>
              <span>{topic.share}</span>
            </li>
          ))}
        </ul>
      )}
      {topics.length > 0 && (
        <>
          <p className="small muted">Each with the share who struggle: their mastery is below 60 %.</p>
          <TableBelow columns={COHORT_COLUMNS} rows={topics} caption="Topics of the class" name="class-topics" />
        </>
      )}
    </>
  );
}
