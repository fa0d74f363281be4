import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** When and how the learner studies, and what goes with better answers. */
export function usePatterns() {
  const client = useClient();
  return useQuery({ queryKey: ["patterns"], queryFn: () => answered(client.GET("/api/analytics/study-patterns")) });
}
