// Every chart stands in this frame: the finding as caption, the picture, and the same numbers as a table with CSV.
import type { ReactNode } from "react";
import { type Column, toCsv } from "../shared/csv";

export interface ChartFrameProps<Row> {
  /** The sentence that the picture shows. */
  finding: string;
  /** What the file of the CSV is called, without ending. */
  name: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  /** How the figure is computed: a page of the documentation. */
  methodHref?: string;
  children: ReactNode;
}

export function ChartFrame<Row>({ finding, name, columns, rows, methodHref, children }: ChartFrameProps<Row>) {
  return (
    <figure className="chart">
      <figcaption className="finding">{finding}</figcaption>
      {children}
      <TableBelow columns={columns} rows={rows} caption={finding} name={name} />
      {methodHref && (
        <a className="small" href={methodHref}>
          How is this computed?
        </a>
      )}
    </figure>
  );
}

interface TableProps<Row> {
  columns: Column<Row>[];
  rows: readonly Row[];
  caption: string;
}

/** All rows as a table, closed until it is asked for, with the same rows as CSV. */
export function TableBelow<Row>({ name, ...table }: TableProps<Row> & { name: string }) {
  return (
    <details className="chart-table">
      <summary>{table.rows.length > 1 ? `All ${table.rows.length} as table` : "Show as table"}</summary>
      <DataTable {...table} />
      <button type="button" className="button quiet" onClick={() => download(`${name}.csv`, toCsv(table.columns, table.rows))}>
        Download CSV
      </button>
    </details>
  );
}

function DataTable<Row>(props: TableProps<Row>) {
  return (
    // A region that scrolls must be reachable by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section className="table-region" aria-label={props.caption} tabIndex={0}>
      <table>
        <caption className="visually-hidden">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <th key={column.header} scope="col" className={column.numeric ? "number" : undefined}>
                {column.header}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row, at) => (
            // Rows have no identity of their own here; their order is the data's.
            // oxlint-disable-next-line react/no-array-index-key
            <tr key={at}>
              {props.columns.map((column) => (
                <td key={column.header} className={column.numeric ? "number" : undefined}>
                  {shown(column.value(row))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function shown(value: ReturnType<Column<unknown>["value"]>): string {
  if (value == null) return "–";
  return typeof value === "number" ? String(Math.round(value * 1000) / 1000) : String(value);
}

const KEPT_MS = 60_000;

function download(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  // The browser reads the file after the click; one that is taken away at once may be saved empty.
  setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
}
