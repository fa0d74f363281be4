import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** Who of a class needs a look. Read once: the server records each read with every learner in the list. */
export function useLearners() {
  const client = useClient();
  return useQuery({
    queryKey: ["cohort", "learners"],
    queryFn: () => answered(client.GET("/api/analytics/cohort/learners")),
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

/** Where a class stands, and roughly the learner in it. */
export function useCohort() {
  const client = useClient();
  return useQuery({ queryKey: ["cohort"], queryFn: () => answered(client.GET("/api/analytics/cohort")) });
}
