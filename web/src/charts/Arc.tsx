// A gauge: a half circle with the value, its likely range and the line to pass. One mark, so one thing to read out.
import { arc } from "d3-shape";

export interface ArcProps {
  /** What is measured, for the screen reader: "Readiness". */
  label: string;
  /** 0 to 1; null draws an empty gauge. */
  value: number | null;
  low: number | null;
  high: number | null;
  /** The share that passes, 0 to 1. */
  passLine?: number | null;
  /** The value in words: "68 %, likely 61 to 74. Pass line 60." */
  text: string;
}

const WIDTH = 260;
const RADIUS = 112;
const THICKNESS = 18;
const draw = arc<{ from: number; to: number; inner: number; outer: number }>()
  .innerRadius((d) => d.inner)
  .outerRadius((d) => d.outer)
  .startAngle((d) => angle(d.from))
  .endAngle((d) => angle(d.to))
  .cornerRadius(3);

/** The angle of a share on the half circle, in radians, from −90° to 90°. */
export function angle(share: number): number {
  return (Math.min(1, Math.max(0, share)) - 0.5) * Math.PI;
}

function band(from: number, to: number, inner = RADIUS - THICKNESS, outer = RADIUS): string {
  return draw({ from, to, inner, outer }) ?? "";
}

export function Arc({ label, value, low, high, passLine, text }: ArcProps) {
  return (
    <div
      className="arc"
      // A native <meter> cannot hold a drawing.
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value == null ? 0 : Math.round(value * 100)}
      aria-valuetext={text}
    >
      <svg viewBox={`0 0 ${WIDTH} 132`} width={WIDTH} height={132} aria-hidden="true" focusable="false">
        <g transform={`translate(${WIDTH / 2} 122)`}>
          <path d={band(0, 1)} className="arc-track" />
          {low != null && high != null && <path d={band(low, high)} className="arc-range" />}
          {value != null && <path d={band(value - 0.008, value + 0.008, RADIUS - THICKNESS - 6, RADIUS + 6)} className="arc-value" />}
          {passLine != null && (
            <path d={band(passLine - 0.003, passLine + 0.003, RADIUS + 2, RADIUS + 10)} className="arc-pass" />
          )}
          <text className="arc-number" textAnchor="middle" y={-14}>
            {value == null ? "–" : `${Math.round(value * 100)} %`}
          </text>
        </g>
      </svg>
    </div>
  );
}
