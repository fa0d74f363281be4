// A card over a query: the server's state when there is an answer, loading before, the error in the card when it fails.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "../api/client";
import { useMe } from "../api/me";
import { Card, type CardState, KEEPS_CONTENT } from "./Card";
import { useNow } from "./useNow";

export interface Answer {
  state: CardState;
  finding: { text: string };
  as_of: string | null;
}

interface QueryCardProps<T extends Answer> {
  title: string;
  query: UseQueryResult<T>;
  className?: string;
  minHeightPx?: number;
  /** The content says the finding itself, in its own place. */
  saysFinding?: boolean;
  /** What may be pressed; gets the answer, as it may depend on it. */
  renderAction?: (data: T) => ReactNode;
  takesFocus?: boolean;
  children: (data: T) => ReactNode;
}

export function QueryCard<T extends Answer>({ title, query, className, minHeightPx, saysFinding, renderAction, takesFocus, children }: QueryCardProps<T>) {
  const now = useNow();
  const zone = useMe().data?.settings.time_zone;
  const shown = whatToShow(query);
  const isSaidInside = saysFinding && KEEPS_CONTENT.has(shown.state);
  const said = isSaidInside ? null : shown.finding;
  const retry = (
    <button type="button" className="button" onClick={() => void query.refetch()}>
      Try again
    </button>
  );
  return (
    <div className={className}>
      <Card
        title={title}
        state={shown.state}
        text={[said, shown.fault].filter(Boolean).join(" ") || null}
        asOf={query.data?.as_of ?? null}
        now={now}
        {...(zone ? { timeZone: zone } : {})}
        requestId={shown.requestId}
        {...(minHeightPx ? { minHeightPx } : {})}
        {...(takesFocus ? { takesFocus } : {})}
        action={shown.canRetry ? retry : query.data && renderAction?.(query.data)}
      >
        {query.data && children(query.data)}
      </Card>
    </div>
  );
}

interface Shown {
  state: CardState;
  /** The server's own sentence, where there is an answer. */
  finding: string | null;
  /** What went wrong, or which right is missing. */
  fault: string | null;
  requestId: string | null;
  canRetry: boolean;
}

const NOTHING: Shown = { state: "loading", finding: null, fault: null, requestId: null, canRetry: false };

/** Which of the states, and with which sentence. Old numbers stay on the screen while the server is away. */
export function whatToShow(query: Pick<UseQueryResult<Answer>, "data" | "error" | "isPending">): Shown {
  const { data, error } = query;
  if (error) {
    const problem = error instanceof Problem ? error : null;
    if (problem?.status === 403) return { ...NOTHING, state: "no_right", fault: problem.message };
    return {
      state: data ? "stale" : "error",
      finding: data?.finding.text ?? null,
      fault: data ? `It could not be refreshed: ${error.message}` : error.message,
      requestId: problem?.requestId ?? null,
      canRetry: true,
    };
  }
  if (!data) return NOTHING;
  return { ...NOTHING, state: data.state, finding: data.finding.text };
}
