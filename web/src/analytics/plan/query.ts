import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** Today's one decision, what else would do, and the week ahead. */
export function usePlan() {
  const client = useClient();
  return useQuery({ queryKey: ["plan"], queryFn: () => answered(client.GET("/api/analytics/plan")) });
}
