import { act, render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Card, type CardState } from "./Card";

const now = new Date("2026-11-22T12:00:00Z");
const asOf = "2026-11-22T11:48:00Z";

function show(state: CardState, text: string | null = "A sentence.") {
  return render(
    <Card title="Readiness" state={state} text={text} asOf={asOf} now={now} requestId="01a2" action={<a href="/x">Act</a>}>
      <p>the chart</p>
    </Card>,
  );
}

test("loading shows nothing for 200 ms, then says so once", () => {
  vi.useFakeTimers();
  show("loading");
  expect(screen.getByRole("region", { name: "Readiness" })).toHaveProperty("ariaBusy", "true");
  expect(screen.getByRole("status").textContent).toBe("");
  act(() => vi.advanceTimersByTime(250));
  expect(screen.getByRole("status").textContent).toBe("Loading");
  expect(screen.queryByText("the chart")).toBeNull();
  vi.useRealTimers();
});

test.each<[CardState, boolean, string | null]>([
  ["ready", true, null],
  ["first_use", false, null],
  ["too_little", true, "Early estimate"],
  ["filtered_empty", false, null],
  ["error", true, "Could not be loaded"],
  ["stale", true, "Not fresh"],
  ["no_right", false, "Not open to you"],
  ["done", true, "Done"],
])("%s: keeps what is known (%s), says its name in words", (state, keeps, word) => {
  show(state);
  expect(screen.getByText("A sentence.")).toBeTruthy();
  expect(screen.queryByText("the chart") !== null).toBe(keeps);
  if (word) expect(screen.getByText(word, { exact: false })).toBeTruthy();
  expect(screen.getByRole("link", { name: "Act" })).toBeTruthy();
  expect(screen.getByText("Data 12 min ago")).toBeTruthy();
});

test("its height is held for as long as it loads, and no longer", () => {
  const height = (state: CardState) => {
    const { unmount } = render(<Card title="Gaps" state={state} text="A sentence." now={now} minHeightPx={400} />);
    const held = screen.getByRole("region", { name: "Gaps" }).style.minHeight;
    unmount();
    return held;
  };
  expect(height("loading")).toBe("400px");
  expect(height("first_use")).toBe("");
});

test("an error names an id to quote, and nothing else does", () => {
  show("error");
  expect(screen.getByText(/01a2/)).toBeTruthy();
});
