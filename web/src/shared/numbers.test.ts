import { expect, test } from "vitest";
import { age, count, dayOf, minutes, percent, percentRange, plural } from "./numbers";

test("a missing number is a dash, never a zero", () => {
  expect(percent(null)).toBe("–");
  expect(percent(undefined)).toBe("–");
  expect(count(null)).toBe("–");
  expect(minutes(null)).toBe("–");
  expect(percentRange(0.4, null)).toBe("");
});

test("shares become percent only on the screen", () => {
  expect(percent(0)).toBe("0 %");
  expect(percent(0.675)).toBe("68 %");
  expect(percentRange(0.612, 0.744)).toBe("61 to 74");
});

test("minutes over an hour are said in hours", () => {
  expect(minutes(45)).toBe("45 min");
  expect(minutes(60)).toBe("1 h");
  expect(minutes(80)).toBe("1 h 20 min");
});

test("one and many", () => {
  expect(plural(1, "card", "cards")).toBe("1 card");
  expect(plural(1204, "card", "cards")).toBe("1,204 cards");
});

test("age is told in the learner's zone, not the browser's", () => {
  const now = new Date("2026-11-22T03:30:00Z");
  expect(age("2026-11-22T03:29:50Z", now)).toBe("now");
  expect(age("2026-11-22T03:18:00Z", now)).toBe("12 min ago");
  expect(age("2026-11-21T20:00:00Z", now, "Asia/Kolkata")).toBe("today 01:30");
  expect(age("2026-11-21T20:00:00Z", now, "UTC")).toBe("yesterday 20:00");
  expect(age("2026-03-04T12:00:00Z", now, "UTC")).toBe("on 4 March");
});

test("a calendar day is said as people say it, in every zone", () => {
  expect(dayOf("2026-11-09")).toBe("9 November");
});
