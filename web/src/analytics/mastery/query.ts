import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** Mastery of every topic, with the groups of the exam. */
export function useMastery() {
  const client = useClient();
  return useQuery({ queryKey: ["mastery"], queryFn: () => answered(client.GET("/api/analytics/mastery")) });
}
