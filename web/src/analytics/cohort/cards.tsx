// The cohort: where the class stands, and roughly the learner in it.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";
import { useMe } from "../../api/me";
import { QueryCard } from "../../shared/QueryCard";
import { HardTopics } from "./HardTopics";
import { bandText } from "./prepare";
import { useCohort } from "./query";

const MOST_ROWS = 3;

export function CohortCard() {
  const isOn = useMe().data?.consents.cohort ?? false;
  return (
    <QueryCard title="Your cohort" query={useCohort()} className="third" minHeightPx={260} renderAction={() => <Consent isOn={isOn} />}>
      {(data) => (
        <>
          {data.band && <p>{bandText(data.band)}</p>}
          <HardTopics topics={data.topics} most={MOST_ROWS} />
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
