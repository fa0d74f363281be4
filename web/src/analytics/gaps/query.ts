import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** What is missing, in the order in which to mend it. */
export function useGaps() {
  const client = useClient();
  return useQuery({ queryKey: ["gaps"], queryFn: () => answered(client.GET("/api/analytics/knowledge-gaps")) });
}
