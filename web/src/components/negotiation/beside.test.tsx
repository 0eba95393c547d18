import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { client } from "../../api/client";
import { Problem } from "../../api/problem";
import { eventsOf, run } from "../../fixtures/runs";
import { showRun, until } from "../../fixtures/showRun";
import { NegotiationProvider } from "../../hooks/useNegotiation";
import { setLang, texts } from "../../i18n";
import { createNegotiationStore } from "../../state/store";
import { announcements } from "../../ui/announce";
import type { Source } from "./beside";
import { NegotiationView } from "./NegotiationView";

const SETTLED_MS = 100;
const t = texts("en");

beforeEach(() => {
  setLang("en");
  announcements.setState({ text: "" });
});

const settled = () => act(() => new Promise((done) => setTimeout(done, SETTLED_MS)));

/** A page that is opened before anything has come. */
function opened(source: Source) {
  const { demand, seats, steps } = run("three-rounds");
  const asked = {
    demand: vi.spyOn(client, "demand").mockResolvedValue(demand),
    seats: vi.spyOn(client, "seats").mockResolvedValue(seats),
    steps: vi.spyOn(client, "steps").mockResolvedValue(steps),
  };
  const store = createNegotiationStore();
  render(
    <NegotiationProvider store={store}>
      <NegotiationView source={source} />
    </NegotiationProvider>,
  );
  return { store, asked };
}

it("asks once beside a finished run, in however many pieces it comes", async () => {
  const { store, asked } = opened("live");
  const events = eventsOf("three-rounds");
  for (let at = 0; at < events.length; at += 10) {
    await act(async () => store.getState().receive(events.slice(at, at + 10)));
  }
  await settled();
  for (const one of Object.values(asked)) expect(one).toHaveBeenCalledTimes(1);
});

it("asks anew once the demand was understood", async () => {
  const { store, asked } = opened("live");
  act(() => store.getState().receive(until("confirmed-edited", "demand.submitted")));
  await settled();
  act(() => store.getState().receive(until("confirmed-edited", "demand.understood")));
  await settled();
  expect(asked.demand).toHaveBeenCalledTimes(2);
});

it("says what could not be read, and tries again", async () => {
  const shown = showRun("three-rounds");
  shown.unmount();
  vi.spyOn(client, "seats").mockRejectedValueOnce(new Problem({ code: "STORAGE", message: "store is busy" }));
  const store = createNegotiationStore();
  store.getState().receive(eventsOf("three-rounds"));
  render(
    <NegotiationProvider store={store}>
      <NegotiationView source="live" />
    </NegotiationProvider>,
  );
  const notice = await screen.findByTestId("beside-missing");
  expect(notice.textContent).toContain("store is busy");
  fireEvent.click(notice.querySelector("button") as HTMLElement);
  await waitFor(() => expect(screen.queryByTestId("beside-missing")).toBeNull());
  await settled();
});

it("speaks of a live run, and keeps silent over a replay", async () => {
  const live = opened("live");
  act(() => live.store.getState().receive(eventsOf("three-rounds")));
  await expect.poll(() => announcements.getState().text).not.toBe("");
  await settled();
  announcements.setState({ text: "" });
  const replayed = opened("recorded");
  for (const event of eventsOf("three-rounds")) act(() => replayed.store.getState().receive(event));
  await settled();
  expect(announcements.getState().text).toBe("");
});

it("offers all events of a live run once it is over; a replay has its own button", async () => {
  const first = showRun("three-rounds", until("three-rounds", "proposal.distributed"));
  expect(screen.queryByTestId("download")).toBeNull();
  act(() => first.store.getState().receive(eventsOf("three-rounds")));
  expect(screen.getByTestId("event-timeline").contains(screen.getByTestId("download"))).toBe(true);
  first.unmount();
  showRun("three-rounds", eventsOf("three-rounds"), "recorded");
  expect(screen.queryByTestId("download")).toBeNull();
  await settled();
});

it("shows whoever has an odd id", async () => {
  for (const word of ["__proto__", "constructor"]) {
    const odd = JSON.parse(
      JSON.stringify(eventsOf("three-rounds")).replaceAll(/"user_agent_\w+"/g, `"${word}"`),
    ) as ReturnType<typeof eventsOf>;
    const shown = showRun("three-rounds", odd, "file");
    expect(screen.getByTestId(`candidate-${word}`)).toBeTruthy();
    expect(screen.getByTestId("candidate-list").textContent).toContain(t.negotiation.candidates.title);
    shown.unmount();
  }
  await settled();
});
