import { act, screen } from "@testing-library/react";
import { beforeEach, expect, it } from "vitest";
import { run } from "../../fixtures/runs";
import { showRun } from "../../fixtures/showRun";
import { setLang } from "../../i18n";
import { whyNoSub } from "./whyNoSub";

beforeEach(() => setLang("zh"));

it("takes the conditions that were not met from the step that decided it", () => {
  const { steps } = run("compromise-with-gaps");
  const reasons = whyNoSub(steps);
  expect(reasons).toHaveLength(2);
  expect(reasons[0]).toContain("满足度提高0%");
  expect(whyNoSub(run("sub-negotiation").steps)).toEqual([]);
  expect(whyNoSub(run("partial-by-silence").steps)).toEqual([]);
  const broken = steps.map((step) => ({ ...step, result: { should_recurse: "no" } }));
  expect(whyNoSub(broken)).toEqual([]);
});

it("says beside the gaps why no sub-negotiation was begun", async () => {
  showRun("compromise-with-gaps");
  const told = await screen.findByTestId("no-subnet");
  expect(screen.getByTestId("plan-gaps").contains(told)).toBe(true);
  expect(told.textContent).toContain("没有开子协商");
  expect(told.textContent).toContain("不划算");
  await act(async () => undefined);
});

it("says nothing of it where one was begun", async () => {
  showRun("sub-negotiation");
  await act(() => new Promise((done) => setTimeout(done, 100)));
  expect(screen.queryByTestId("no-subnet")).toBeNull();
});
