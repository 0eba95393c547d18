import { act, cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeEventSource } from "../../fixtures/eventSource";
import { eventsOf } from "../../fixtures/runs";
import { showRun } from "../../fixtures/showRun";
import { setLang, texts } from "../../i18n";

const { fold, subnet } = texts("zh").negotiation;

beforeEach(() => {
  setLang("zh");
  vi.stubGlobal("EventSource", FakeEventSource);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const levelOf = (heading: Element) => Number(heading.tagName.slice(1));

it("no heading skips a level, also in a sub-negotiation that is opened", async () => {
  const { store } = showRun("sub-negotiation");
  const [sub] = store.getState().negotiation.subs;
  const nested = screen.getByTestId(`subnet-${sub?.demandId}`);
  fireEvent.click(within(nested).getByTestId("subnet-open"));
  act(() => {
    for (const event of eventsOf("sub-negotiation-child")) FakeEventSource.last().says(event);
  });
  await waitFor(() => expect(within(nested).queryByTestId("event-timeline")).not.toBeNull());
  const outside = within(screen.getByTestId("sub-negotiations"));
  expect(outside.getByRole("heading", { level: 2 }).textContent).toBe(subnet.all);
  const inside = within(nested).getAllByRole("heading").map(levelOf);
  expect(inside[0]).toBe(3);
  expect(Math.min(...inside.slice(1))).toBe(4);
  const all = screen.getAllByRole("heading").map(levelOf);
  expect(all[0]).toBe(1);
  for (const [index, level] of all.entries()) expect(level - (all[index - 1] ?? 0)).toBeLessThanOrEqual(1);
});

it("the main heading holds the demand's words, and no button", async () => {
  const [submitted] = eventsOf("full-agreement");
  if (!submitted) throw new Error("no event");
  const raw_input = "需要场地和嘉宾，".repeat(40);
  showRun("full-agreement", [{ ...submitted, payload: { ...submitted.payload, raw_input } }]);
  const heading = screen.getByRole("heading", { level: 1 });
  expect(heading.textContent).toBe(raw_input);
  expect(within(heading).queryByRole("button")).toBeNull();
  const more = screen.getByRole("button", { name: fold.more });
  fireEvent.click(more);
  expect(more.getAttribute("aria-expanded")).toBe("true");
  await act(async () => undefined);
});
