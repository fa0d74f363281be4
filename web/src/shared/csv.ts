// A table as CSV: RFC 4180 quoting, and no cell that a spreadsheet would run as a formula.

export type Cell = string | number | boolean | null | undefined;

export interface Column<Row> {
  /** What stands over the column; units belong here. */
  header: string;
  /** The cell's value; numbers stay numbers. */
  value: (row: Row) => Cell;
  numeric?: boolean;
}

const STARTS_A_FORMULA = new Set(["=", "+", "-", "@", "\t", "\r", "\0"]);

/** One cell, guarded and quoted. A negative number is a number; text that begins like a formula gets a quote mark. */
export function cell(value: Cell): string {
  if (value == null) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  let text = String(value);
  if (STARTS_A_FORMULA.has(text.charAt(0))) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The whole table, header first, lines ended by CR LF. */
export function toCsv<Row>(columns: Column<Row>[], rows: readonly Row[]): string {
  const lines = [columns.map((c) => cell(c.header)), ...rows.map((row) => columns.map((c) => cell(c.value(row))))];
  return lines.map((line) => `${line.join(",")}\r\n`).join("");
}
