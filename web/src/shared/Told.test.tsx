import { QueryClient } from "@tanstack/react-query";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { PAUSE_MS, watchFindings } from "./Told";

const said = (text: string) => ({ finding: { text } });
let queries: QueryClient;
let told: string[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  queries = new QueryClient();
  told = [];
  stop = watchFindings(queries, (text) => told.push(text));
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

test("what is shown first, and the same again, is not told", () => {
  queries.setQueryData(["gaps"], said("one"));
  queries.setQueryData(["gaps"], { ...said("one"), as_of: "later" });
  queries.setQueryData(["me"], { roles: [] });
  vi.advanceTimersByTime(2 * PAUSE_MS);
  expect(told).toEqual([]);
});

test("several findings that change at once are told once", () => {
  for (const text of ["before", "after"]) for (const key of ["gaps", "mastery"]) queries.setQueryData([key], said(text));
  expect(told).toEqual([]);
  vi.advanceTimersByTime(2 * PAUSE_MS);
  expect(told).toEqual(["The figures are updated."]);
});

test("a refresh that fails is told once, and that it works again", async () => {
  let away = false;
  const queryFn = () => (away ? Promise.reject(new Error("away")) : Promise.resolve(said("one")));
  const ask = () => queries.fetchQuery({ queryKey: ["gaps"], queryFn, retry: false }).catch(() => undefined);
  for (away of [false, true, true, false]) {
    await ask();
    await vi.advanceTimersByTimeAsync(PAUSE_MS);
  }
  expect(told).toEqual(["Some figures could not be refreshed.", "The figures are refreshed again."]);
});
