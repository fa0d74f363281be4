// One Tab stop for each chart; inside it the arrows, Home and End walk the marks, and Escape goes back to the card.
import { type KeyboardEvent, useRef, useState } from "react";

const STEP: Record<string, number> = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/** Where a key leads from mark `at` of `count`; null when the key is not one of ours. */
export function target(key: string, at: number, count: number): number | null {
  if (count === 0) return null;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  const step = STEP[key];
  return step === undefined ? null : Math.min(count - 1, Math.max(0, at + step));
}

export function useRovingFocus(count: number) {
  const [at, setAt] = useState(0);
  const marks = useRef(new Map<number, HTMLElement>());
  const current = Math.min(at, Math.max(0, count - 1));
  return {
    /** Only the current mark can be reached by Tab. */
    tabIndex: (index: number) => (index === current ? 0 : -1),
    ref: (index: number) => (element: HTMLElement | null) => {
      if (element) marks.current.set(index, element);
      else marks.current.delete(index);
    },
    onKeyDown: (event: KeyboardEvent<HTMLElement>) => {
      if (event.key === "Escape") {
        event.currentTarget.closest<HTMLElement>("section")?.querySelector<HTMLElement>("h2")?.focus();
        return;
      }
      const next = target(event.key, current, count);
      if (next === null) return;
      event.preventDefault();
      setAt(next);
      marks.current.get(next)?.focus();
    },
  };
}
