// The cohort: where the class stands, and roughly the learner in it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";
import { useMe } from "../../api/me";
import { DataTable } from "../../charts/ChartFrame";
import { QueryCard } from "../../shared/QueryCard";
import { bandText, COHORT_COLUMNS, hardTopics } from "./prepare";
import { useCohort } from "./query";

const MOST_ROWS = 3;

export function CohortCard() {
  const isOn = useMe().data?.consents.cohort ?? false;
  return (
    <QueryCard title="Your cohort" query={useCohort()} className="third" minHeightPx={260} renderAction={() => <Consent isOn={isOn} />}>
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

/** Comparison is off until the learner says yes, and can be switched off again in the same place. */
function Consent({ isOn }: { isOn: boolean }) {
  const client = useClient();
  const queries = useQueryClient();
  const state = useMutation({
    mutationFn: (given: boolean) => answered(client.PUT("/api/me/consent", { body: { purpose: "cohort", given } })),
    onSuccess: () => Promise.all([["cohort"], ["me"]].map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  return (
    <button type="button" className="button quiet" disabled={state.isPending} onClick={() => state.mutate(!isOn)}>
      {isOn ? "Stop comparing me" : "Compare me with my class"}
    </button>
  );
}
