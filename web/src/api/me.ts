// Who is signed in: zone, exam, whether the data are a sample. Everything on the page that has a date asks this first.
import { useQuery } from "@tanstack/react-query";
import { answered } from "./client";
import { useClient } from "./context";

export function useMe() {
  const client = useClient();
  return useQuery({ queryKey: ["me"], queryFn: () => answered(client.GET("/api/me")) });
}
