import { act, cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { client } from "../../api/client";
import { asProblem } from "../../api/problem";
import { eventsOf } from "../../fixtures/runs";
import { showRun, until } from "../../fixtures/showRun";
import { setLang, texts } from "../../i18n";

const { offline } = texts("zh").errors;
const OFFLINE = asProblem(new TypeError("Failed to fetch"));

beforeEach(() => setLang("zh"));
afterEach(cleanup);

it("a refused cancellation is told inside its dialog, in the page's words", async () => {
  vi.spyOn(client, "cancel").mockRejectedValue(OFFLINE);
  showRun("three-rounds", until("three-rounds", "proposal.distributed"));
  fireEvent.click(screen.getByTestId("cancel"));
  fireEvent.click(screen.getByTestId("cancel-confirm"));
  const told = await within(screen.getByTestId("cancel-dialog")).findByRole("alert");
  expect(told.textContent).toContain(offline.message);
  expect(told.textContent).not.toContain("Failed to fetch");
  fireEvent.click(screen.getByRole("button", { name: texts("zh").negotiation.cancel.keep }));
  fireEvent.click(screen.getByTestId("cancel"));
  expect(within(screen.getByTestId("cancel-dialog")).queryByRole("alert")).toBeNull();
});

it("steps that cannot be read are told of in the page's words", async () => {
  const { store } = showRun("full-agreement", []);
  vi.spyOn(client, "steps").mockRejectedValue(OFFLINE);
  act(() => store.getState().receive(eventsOf("full-agreement")));
  const told = await within(screen.getByTestId("step-inspector")).findByRole("alert");
  expect(told.textContent).toContain(offline.message);
  expect(told.textContent).not.toContain("Failed to fetch");
});
