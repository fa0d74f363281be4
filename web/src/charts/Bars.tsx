// Bars in HTML: a name, a bar with its likely range and a target tick, and the number. Arrow keys walk the rows.
import { useRovingFocus } from "./keys";

export interface Bar {
  id: string;
  name: string;
  /** 0 to 1; null where too little is known. */
  value: number | null;
  low: number | null;
  high: number | null;
  target?: number | null;
  /** What stands in place of the number where there is none: "too few", "not seen". */
  missing?: string;
  /** The mark in words: "Renal: 0.61, likely 0.54 to 0.68, 31 answers". */
  words: string;
  href?: string;
}

export function Bars({ label, bars }: { label: string; bars: readonly Bar[] }) {
  const roving = useRovingFocus(bars.length);
  return (
    // The list hears the keys of the links inside it; it takes no focus of its own.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <ul className="bars" aria-label={label} onKeyDown={roving.onKeyDown}>
      {bars.map((bar, at) => (
        <li key={bar.id}>
          {/* A mark that leads nowhere is a picture with a name, not a link. */}
          <a
            ref={roving.ref(at)}
            tabIndex={roving.tabIndex(at)}
            {...(bar.href ? { href: bar.href } : { role: "img" })}
            aria-label={bar.words}
            className="bar"
          >
            <span className="bar-name">{bar.name}</span>
            <span className="bar-track">
              {bar.low != null && bar.high != null && (
                <span className="bar-range" style={{ left: share(bar.low), width: share(bar.high - bar.low) }} />
              )}
              {bar.value != null && <span className="bar-value" style={{ left: share(bar.value) }} />}
              {bar.target != null && <span className="bar-target" style={{ left: share(bar.target) }} />}
            </span>
            <span className="bar-number">{bar.value == null ? (bar.missing ?? "–") : `${Math.round(bar.value * 100)} %`}</span>
          </a>
        </li>
      ))}
    </ul>
  );
}

function share(value: number): string {
  return `${Math.min(100, Math.max(0, value * 100))}%`;
}
