import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

// axe does not see text inside SVG: the pairs of tokens are checked by arithmetic, in both themes.
const css = readFileSync("src/shared/tokens.css", "utf8");
const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map((m) => [m[1]!, [m[2]!, m[3]!]]),
);

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high! + 0.05) / (low! + 0.05);
}

const TEXT = ["ink", "muted", "accent", "ok", "warn", "bad"].flatMap((t) => [
  [t, "card"],
  [t, "bg"],
]);
const ON_HEAT = [
  ["on-heat-low", "heat-0"],
  ["on-heat-low", "heat-1"],
  ["on-heat-low", "heat-2"],
  ["on-heat-high", "heat-3"],
  ["on-heat-high", "heat-4"],
  ["on-accent", "accent"],
  ["ink", "accent-soft"],
];

test.each([...TEXT, ...ON_HEAT])("%s on %s can be read in both themes", (front, back) => {
  for (const theme of [0, 1]) {
    expect(contrast(tokens.get(front!)![theme]!, tokens.get(back!)![theme]!)).toBeGreaterThanOrEqual(4.5);
  }
});

test.each([
  ["edge", "card"],
  ["edge", "bg"],
  ["focus", "card"],
  ["accent", "card"],
])("%s against %s is seen as a mark in both themes", (front, back) => {
  for (const theme of [0, 1]) {
    expect(contrast(tokens.get(front)![theme]!, tokens.get(back)![theme]!)).toBeGreaterThanOrEqual(3);
  }
});
