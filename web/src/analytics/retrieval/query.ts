import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** What is remembered, what is fading, what is due. */
export function useRetrieval() {
  const client = useClient();
  return useQuery({ queryKey: ["retrieval"], queryFn: () => answered(client.GET("/api/analytics/retrieval")) });
}
