import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** Where a class stands, and roughly the learner in it. */
export function useCohort() {
  const client = useClient();
  return useQuery({ queryKey: ["cohort"], queryFn: () => answered(client.GET("/api/analytics/cohort")) });
}
