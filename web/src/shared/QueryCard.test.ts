import { expect, test } from "vitest";
import { Problem } from "../api/client";
import { type Answer, whatToShow } from "./QueryCard";

const data: Answer = { state: "ready", finding: { text: "12 of 64 topics mastered." }, as_of: "2026-11-22T02:00:00Z" };
const failed = new Problem(503, "db.away", "The database is away.", "01a2");

test("before the first answer the card loads; after it the server names the state", () => {
  expect(whatToShow({ data: undefined, error: null, isPending: true }).state).toBe("loading");
  expect(whatToShow({ data: { ...data, state: "too_little" }, error: null, isPending: false })).toMatchObject({
    state: "too_little",
    finding: "12 of 64 topics mastered.",
  });
});

test("a failed refresh keeps the old numbers and says that they are old", () => {
  const shown = whatToShow({ data, error: failed, isPending: false });
  expect(shown.state).toBe("stale");
  expect(shown.finding).toContain("12 of 64");
  expect(shown.fault).toContain("The database is away.");
  expect(shown.canRetry).toBe(true);
});

test("a failed first load can be tried again and has an id to quote", () => {
  expect(whatToShow({ data: undefined, error: failed, isPending: false })).toEqual({
    state: "error",
    finding: null,
    fault: "The database is away.",
    requestId: "01a2",
    canRetry: true,
  });
});

test("what one may not see is not offered again", () => {
  const refused = new Problem(403, "auth.forbidden", "An educator's role is needed.", null);
  expect(whatToShow({ data: undefined, error: refused, isPending: false })).toMatchObject({
    state: "no_right",
    canRetry: false,
  });
});
