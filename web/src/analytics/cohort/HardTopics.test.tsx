import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { Schemas } from "../../api/context";
import { HardTopics } from "./HardTopics";

const topic: Schemas["TopicOfClass"] = {
  topic_id: "a", name: "Shock", struggling: 0.45, difficulty: null, median_hours: null, n: 10, suppressed: null,
  finding: { code: "x", params: {}, text: "x" },
};
const silent = { ...topic, struggling: null, n: null, suppressed: "minimum" as const };

test("what is published stands in a list", () => {
  render(<HardTopics topics={[topic, silent]} most={3} />);
  expect(screen.getAllByRole("listitem").map((item) => item.textContent)).toEqual(["Shockabout 45 %"]);
});

test("in a week whose topics all have too few learners there is no empty list, and the table still has them", () => {
  render(<HardTopics topics={[silent]} most={3} />);
  expect(screen.queryByRole("list")).toBeNull();
  expect(screen.getByRole("cell", { name: "Shock", hidden: true })).toBeTruthy();
});
