// One card, eight states. The server names the state; this draws it, so that every card says the same thing the same way.
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { age } from "./numbers";

export type CardState =
  | "ready"
  | "loading"
  | "first_use"
  | "too_little"
  | "filtered_empty"
  | "error"
  | "stale"
  | "no_right"
  | "done";

export interface CardProps {
  /** What the card answers; its heading. */
  title: string;
  state: CardState;
  /** The server's sentence for this state: what was found, what is missing, what went wrong. */
  text: string | null;
  /** When the figures were computed. */
  asOf?: string | null;
  now: Date;
  timeZone?: string;
  /** What may be pressed in this state: import, clear the filter, retry. */
  action?: ReactNode;
  /** An id to quote when something failed. */
  requestId?: string | null;
  /** Height of the finished card, so that nothing shifts while it loads. */
  minHeightPx?: number;
  /** It takes the place of what was pressed, so the focus goes on to it. */
  takesFocus?: boolean;
  children?: ReactNode;
}

const WORDS: Partial<Record<CardState, { icon: string; word: string }>> = {
  too_little: { icon: "◔", word: "Early estimate" },
  stale: { icon: "◷", word: "Not fresh" },
  error: { icon: "▲", word: "Could not be loaded" },
  no_right: { icon: "■", word: "Not open to you" },
  done: { icon: "✓", word: "Done" },
};

/** States in which what was known is still worth showing. */
export const KEEPS_CONTENT = new Set<CardState>(["ready", "too_little", "stale", "error", "done"]);

export function Card(props: CardProps) {
  const heading = useId();
  const badge = WORDS[props.state];
  const title = useRef<HTMLHeadingElement>(null);
  const { takesFocus } = props;
  useEffect(() => {
    if (takesFocus) title.current?.focus();
  }, [takesFocus]);
  return (
    <section
      className={`card card-${props.state}`}
      aria-labelledby={heading}
      aria-busy={props.state === "loading"}
      style={props.state === "loading" && props.minHeightPx ? { minHeight: props.minHeightPx } : undefined}
    >
      <header className="card-head">
        <h2 id={heading} tabIndex={-1} ref={title}>
          {props.title}
        </h2>
        {badge && (
          <span className={`badge badge-${props.state}`}>
            <span aria-hidden="true">{badge.icon}</span> {badge.word}
          </span>
        )}
      </header>
      {props.state === "loading" ? <Skeleton /> : <Body {...props} />}
    </section>
  );
}

function Body({ state, text, asOf, now, timeZone, action, requestId, children }: CardProps) {
  return (
    <>
      {text && <p className="finding">{text}</p>}
      {KEEPS_CONTENT.has(state) && children}
      {action && <div className="card-action">{action}</div>}
      <footer className="card-foot small muted">
        {asOf && <time dateTime={asOf}>Data {age(asOf, now, timeZone)}</time>}
        {state === "error" && requestId && <span>Quote this if you ask for help: {requestId}</span>}
      </footer>
    </>
  );
}

/** Nothing for 200 ms, then a quiet shape of the final height: a quick answer never flickers. */
function Skeleton() {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 200);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="skeleton" data-shown={shown}>
      <output className="visually-hidden">{shown ? "Loading" : ""}</output>
    </div>
  );
}
