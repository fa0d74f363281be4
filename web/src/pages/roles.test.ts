import { expect, test } from "vitest";
import { mayOf, nameOf } from "./roles";

test("a role is told what it may ask, two roles without repeating themselves", () => {
  expect(mayOf(["analyst"])).toHaveLength(1);
  expect(mayOf(["analyst", "analyst", "auditor"])).toHaveLength(2);
  expect(nameOf("program_admin")).toBe("program admin");
});

test("an unknown role is told that it may ask nothing", () => {
  expect(mayOf(["root"])).toEqual(["Nothing: your token names no role that this service knows."]);
});
