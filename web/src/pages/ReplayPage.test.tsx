import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { client } from "../api/client";
import { Problem } from "../api/problem";
import type { DemandView, LogEvent } from "../api/types";
import { setLang, texts } from "../i18n";
import { ReplayPage } from "./ReplayPage";

const t = texts("en").replay;
const EVENTS: readonly LogEvent[] = ["submitted", "understood", "confirmed"].map((step, index) => ({
  event_id: `evt-0000abcd-${index}`,
  event_type: `towow.demand.${step}`,
  timestamp: `2026-11-21T08:00:0${index}Z`,
  payload: { demand_id: "d-0000abcd", raw_input: "<b>a party</b>" },
}));

beforeEach(() => {
  setLang("en");
  vi.spyOn(client, "demand").mockResolvedValue({ raw_input: "<b>a party</b>" } as DemandView);
  vi.spyOn(client, "steps").mockResolvedValue([]);
  vi.spyOn(client, "seats").mockResolvedValue([]);
});
afterEach(cleanup);

const position = () => screen.getByTestId("replay-bar").dataset.position;

it("plays a run of the node, stops, steps and seeks", async () => {
  vi.spyOn(client, "allEvents").mockResolvedValue([...EVENTS]);
  render(<ReplayPage demandId="d-0000abcd" />);
  const bar = await screen.findByTestId("replay-bar");
  expect(bar.textContent).toContain(t.badge);
  fireEvent.click(screen.getByTestId("replay-play"));
  const seek = screen.getByTestId("replay-seek");
  fireEvent.change(seek, { target: { value: "3" } });
  expect(position()).toBe("3");
  fireEvent.click(screen.getByTestId("replay-back"));
  expect(position()).toBe("2");
  expect(screen.queryByTestId("event-evt-0000abcd-2")).toBeNull();
  expect(screen.getByTestId("event-evt-0000abcd-1")).toBeTruthy();
  fireEvent.click(screen.getByTestId("replay-forward"));
  expect(seek.getAttribute("aria-valuetext")).toBe(t.positionWords(3, 3));
  const speed = screen.getByTestId<HTMLSelectElement>("replay-speed");
  expect([...speed.options].map((one) => one.value)).toEqual(["0.5", "1", "2", "4", "8", "16"]);
});

it("says why a run cannot be read, and tries again", async () => {
  const load = vi
    .spyOn(client, "allEvents")
    .mockRejectedValue(new Problem({ code: "E002", message: "no demand" }));
  render(<ReplayPage demandId="d-0000abcd" />);
  await screen.findByText(/no demand/);
  load.mockResolvedValue([...EVENTS]);
  fireEvent.click(screen.getByRole("button", { name: t.again }));
  await screen.findByTestId("replay-bar");
});

it("refuses a file in words and opens a good one, whatever its texts are", async () => {
  render(<ReplayPage demandId={null} />);
  const choose = async (text: string) => {
    const files = [new File([text], "x.json")];
    await act(async () => fireEvent.change(screen.getByTestId("import"), { target: { files } }));
  };
  await choose("{}");
  await screen.findByText(new RegExp(t.faults.RECORDING_OTHER_FORMAT));
  await choose(JSON.stringify({ format: "moothall-events", version: 1, events: EVENTS }));
  await screen.findByTestId("replay-bar");
  expect(document.querySelector("main b, td b, h1 b")).toBeNull();
});
