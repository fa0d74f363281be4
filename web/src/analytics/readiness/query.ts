import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** The forecast of the exam. */
export function useReadiness() {
  const client = useClient();
  return useQuery({ queryKey: ["readiness"], queryFn: () => answered(client.GET("/api/analytics/exam-readiness")) });
}
