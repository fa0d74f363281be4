import { expect, test } from "vitest";
import { cell, toCsv } from "./csv";

test("H15: text that a spreadsheet would run is quoted; negative numbers stay numbers", () => {
  for (const text of ["=1+1", "+1", "-1", "@A1", "\tx", "\0x"]) expect(cell(text).replace(/^"/, "")).toMatch(/^'/);
  expect(cell(-1.5)).toBe("-1.5");
  expect(Number(cell(-1.5))).toBe(-1.5);
});

test("quotes, commas and line ends follow RFC 4180", () => {
  expect(cell('a "b", c')).toBe('"a ""b"", c"');
  expect(cell("a\nb")).toBe('"a\nb"');
  expect(toCsv([{ header: "topic", value: (r: { t: string }) => r.t }], [{ t: "Renal" }])).toBe("topic\r\nRenal\r\n");
});

test("what is not known is an empty cell", () => {
  expect(cell(null)).toBe("");
  expect(cell(Number.NaN)).toBe("");
});
