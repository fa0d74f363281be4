// What a screen reader is told without asking: that findings changed, or could not be refreshed. Politely, and seldom.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";

export const PAUSE_MS = 5_000;
const CHANGED = "The figures are updated.";
const FAILED = "Some figures could not be refreshed.";
const BACK = "The figures are refreshed again.";

export function Told() {
  const queries = useQueryClient();
  const [text, setText] = useState("");
  useEffect(() => watchFindings(queries, setText), [queries]);
  return <output className="visually-hidden">{text}</output>;
}

/** Tells when a finding becomes another, when its refresh fails and when it works again: at most once in a pause. */
export function watchFindings(queries: QueryClient, tell: (text: string) => void): () => void {
  const known = new Map<string, string>();
  const failing = new Set<string>();
  const news = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = () => {
    timer = undefined;
    tell([...news].join(" "));
    news.clear();
  };
  const stop = queries.getQueryCache().subscribe((event) => {
    if (event.type !== "updated") return;
    const { queryHash, state } = event.query;
    const finding = (state.data as { finding?: { text: string } } | undefined)?.finding?.text;
    if (finding === undefined) return;
    if (event.action.type === "error") {
      if (!failing.has(queryHash)) news.add(FAILED);
      failing.add(queryHash);
    } else if (event.action.type === "success") {
      if (failing.delete(queryHash)) news.add(BACK);
      else if (known.has(queryHash) && known.get(queryHash) !== finding) news.add(CHANGED);
      known.set(queryHash, finding);
    }
    if (news.size > 0) timer ??= setTimeout(say, PAUSE_MS);
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
