import { beforeEach, expect, test } from "vitest";
import { applyTheme, currentTheme, nextTheme } from "./theme";

beforeEach(() => localStorage.clear());

test("the switch goes round: system, light, dark, system", () => {
  expect(nextTheme("system")).toBe("light");
  expect(nextTheme("light")).toBe("dark");
  expect(nextTheme("dark")).toBe("system");
});

test("a choice is kept and shown; system forgets it", () => {
  const root = document.createElement("html");
  applyTheme("dark", localStorage, root);
  expect([currentTheme(localStorage), root.dataset["theme"]]).toEqual(["dark", "dark"]);
  applyTheme("system", localStorage, root);
  expect([currentTheme(localStorage), root.dataset["theme"]]).toEqual(["system", undefined]);
  localStorage.setItem("osler.theme", "purple");
  expect(currentTheme(localStorage)).toBe("system");
});
