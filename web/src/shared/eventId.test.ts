import { expect, test } from "vitest";
import { newEventId } from "./eventId";

test("an id is a version 7 UUID that carries its millisecond, and two are never the same", () => {
  const at = 1_795_312_691_004;
  const ids = Array.from({ length: 200 }, () => newEventId(at));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(ids[0]!.replaceAll("-", "").slice(0, 12), 16)).toBe(at);
  expect(new Set(ids).size).toBe(200);
});
