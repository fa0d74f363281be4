import { useQuery } from "@tanstack/react-query";
import { answered } from "../../api/client";
import { useClient } from "../../api/context";

/** How the time was spent. */
export function useEfficiency() {
  const client = useClient();
  return useQuery({ queryKey: ["efficiency"], queryFn: () => answered(client.GET("/api/analytics/efficiency")) });
}
