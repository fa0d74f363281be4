import { expect, test } from "vitest";
import { efficiencyFigures } from "./prepare";

type Efficiency = Parameters<typeof efficiencyFigures>[0];
const none = { value: null, n: 0, interval: null };
const data = {
  active_minutes: 410, total_minutes: 500, efficiency: { value: 0.82, n: 12, interval: null }, focus_score: none,
  questions_per_hour: { value: 18.62, n: 120, interval: { low: 17.1, high: 20.13, level: 0.9 } }, materials_per_hour: none,
} as unknown as Efficiency;

test("each figure has its range or its n", () => {
  const [share, time, questions, materials] = efficiencyFigures(data);
  expect(share).toMatchObject({ value: "82 %", likely: "12 sessions" });
  expect(time).toMatchObject({ value: "6 h 50 min", likely: "of 8 h 20 min" });
  expect(questions).toMatchObject({ value: "18.6", likely: "likely 17.1 to 20.1" });
  expect(materials).toMatchObject({ value: "–", likely: "n 0" });
});

test("focus is not guessed where the client sends no pauses", () => {
  expect(efficiencyFigures(data).at(-1)).toEqual({ label: "Focus score", value: "–", likely: "your client sends no pauses" });
});
