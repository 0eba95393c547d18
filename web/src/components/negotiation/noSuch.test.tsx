import { act, fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { client } from "../../api/client";
import { Problem } from "../../api/problem";
import type { LogEvent } from "../../api/types";
import { eventsOf } from "../../fixtures/runs";
import { showRun } from "../../fixtures/showRun";
import { NegotiationProvider } from "../../hooks/useNegotiation";
import { setLang, texts } from "../../i18n";
import { createNegotiationStore } from "../../state/store";
import { NegotiationView } from "./NegotiationView";

const { noSuch } = texts("en").negotiation;
const LOST = { kind: "lost", attempt: 0, retryAt: null, staleSince: 0 } as const;

beforeEach(() => setLang("en"));

function refused(status: number, events: readonly LogEvent[] = []) {
  const store = createNegotiationStore();
  store.getState().receive(events);
  store.getState().connected(LOST);
  const again = vi.fn();
  const problem = new Problem({ code: "E002", status, message: "no" });
  render(
    <NegotiationProvider store={store}>
      <NegotiationView source="live" problem={problem} onReconnect={again} />
    </NegotiationProvider>,
  );
  return again;
}

it.each([404, 403, 401])("says in one sentence that there is nothing to see (%i)", (status) => {
  const again = refused(status);
  expect(screen.getByTestId("negotiation-problem").textContent).toContain(noSuch.title);
  expect(screen.getByRole("link").getAttribute("href")).toBe("#/list");
  expect(screen.queryByTestId("candidate-list")).toBeNull();
  expect(screen.queryByTestId("reconnect")).toBeNull();
  const buttons = screen.queryAllByRole("button");
  expect(buttons).toHaveLength(status === 401 ? 1 : 0);
  if (buttons[0]) fireEvent.click(buttons[0]);
  expect(again).toHaveBeenCalledTimes(buttons.length);
});

it("keeps what was seen where only the key is refused, but not where all was erased", async () => {
  vi.spyOn(client, "demand").mockRejectedValue(new Problem({ code: "OFFLINE" }));
  vi.spyOn(client, "seats").mockResolvedValue([]);
  vi.spyOn(client, "steps").mockResolvedValue([]);
  refused(403, eventsOf("full-agreement"));
  expect(screen.getByTestId("candidate-list")).toBeTruthy();
  await act(async () => undefined);
});

it("shows no demand that was erased in another tab once the reader is back", async () => {
  showRun("full-agreement");
  await act(async () => undefined);
  expect(screen.getByTestId("proposal-card")).toBeTruthy();
  vi.spyOn(client, "demand").mockRejectedValue(new Problem({ code: "E002", status: 404 }));
  await act(async () => void window.dispatchEvent(new Event("focus")));
  expect((await screen.findByTestId("negotiation-problem")).textContent).toContain(noSuch.title);
  expect(screen.queryByTestId("proposal-card")).toBeNull();
});
