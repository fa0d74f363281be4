import { QueryClient, QueryClientProvider, type UseQueryResult } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { makeClient } from "../api/client";
import { ClientProvider } from "../api/context";
import type { CardState } from "./Card";
import { type Answer, QueryCard } from "./QueryCard";

const me = { settings: { time_zone: "UTC" } };

function show(state: CardState, error: Error | null = null) {
  const data: Answer = { state, finding: { text: "The finding." }, as_of: null };
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  queries.setQueryData(["me"], me);
  const query = { data, error, isPending: false } as UseQueryResult<Answer>;
  render(
    <QueryClientProvider client={queries}>
      <ClientProvider value={makeClient("token", () => undefined)}>
        <QueryCard title="Today" query={query} saysFinding>
          {(answer) => <p>{`Inside: ${answer.finding.text}`}</p>}
        </QueryCard>
      </ClientProvider>
    </QueryClientProvider>,
  );
}

test.each<CardState>(["first_use", "filtered_empty", "no_right"])("%s: says its finding, though its content would", (state) => {
  show(state);
  expect(screen.getByText("The finding.")).toBeTruthy();
});

test("with its content on the page, the finding is said once", () => {
  show("ready");
  expect(screen.queryByText("The finding.")).toBeNull();
  expect(screen.getByText("Inside: The finding.")).toBeTruthy();
});

test("a refresh that failed says so, and does not say the finding a second time", () => {
  show("ready", new Error("The server cannot be reached."));
  expect(screen.getByText("It could not be refreshed: The server cannot be reached.")).toBeTruthy();
  expect(screen.getAllByText(/The finding\./)).toHaveLength(1);
});
