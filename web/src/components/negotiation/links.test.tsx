import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { eventsOf, run } from "../../fixtures/runs";
import { showRun, until } from "../../fixtures/showRun";
import { setLang } from "../../i18n";
import { clock } from "../../i18n/formats";
import { noEntries } from "../../state/read";
import { session } from "../../state/session";
import { isLoopback } from "../form/loopback";
import { PeopleLinks } from "../form/PeopleLinks";

const RUN = "with-a-person";
const demandId = run(RUN).recording.demand_id;
const LINKS = [
  { name: "小林", url: "http://node.example/#/join/collab-00000001/t1" },
  { name: "小周", url: "http://node.example/#/join/collab-00000001/t2" },
];

beforeEach(() => {
  setLang("en");
  session.getState().setParticipantLinks(demandId, LINKS.slice(0, 1));
});
afterEach(() => session.setState({ participantLinks: noEntries() }));

it("stand at the top until everybody has answered, with the time that they have", async () => {
  const { store } = showRun(RUN, until(RUN, "demand.broadcast"));
  const links = () => screen.getByTestId("people-links");
  const side = () => screen.getByTestId("candidate-list").parentElement;
  const deadline = store.getState().negotiation.deadlineAt;
  expect(deadline).not.toBeNull();
  expect(side()?.contains(links())).toBe(false);
  expect(screen.getByTestId("links-time").textContent).toContain(clock(deadline ?? "", "en"));
  act(() => store.getState().receive(eventsOf(RUN)));
  expect(side()?.contains(links())).toBe(true);
  expect(screen.queryByTestId("links-time")).toBeNull();
  await act(async () => undefined);
});

it("are copied all at once, and say where they open nothing", async () => {
  session.getState().setParticipantLinks("d-2", LINKS);
  const writeText = vi.fn(async (_text: string) => undefined);
  vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText } });
  const shown = render(<PeopleLinks demandId="d-2" hostname="127.0.0.1" />);
  expect(screen.getByTestId("links-loopback").textContent).toContain("127.0.0.1");
  expect(screen.getByTestId("links-time").textContent).toContain("a few minutes");
  fireEvent.click(screen.getByTestId("copy-all"));
  await waitFor(() => expect(writeText).toHaveBeenCalled());
  expect(writeText.mock.calls[0]?.[0]).toBe(LINKS.map(({ name, url }) => `${name} ${url}`).join("\n"));
  vi.unstubAllGlobals();
  shown.unmount();
  render(<PeopleLinks demandId="d-2" hostname="node.example" />);
  expect(screen.queryByTestId("links-loopback")).toBeNull();
});

it("knows the addresses that only this machine reaches", () => {
  for (const host of ["localhost", "a.localhost", "127.0.0.1", "127.8.9.1", "[::1]", "::1"])
    expect(isLoopback(host), host).toBe(true);
  for (const host of ["node.example", "192.168.1.7", "localhost.example", "1127.0.0.1"])
    expect(isLoopback(host), host).toBe(false);
});
