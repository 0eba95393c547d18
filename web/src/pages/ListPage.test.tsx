import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { client } from "../api/client";
import { Problem } from "../api/problem";
import type { DemandSummary } from "../api/types";
import { setLang, texts } from "../i18n";
import { session } from "../state/session";
import { ListPage } from "./ListPage";

const t = texts("en").list;
const HOSTILE = "<img src=x onerror=alert(1)>";

function demand(id: string, change: Partial<DemandSummary> = {}): DemandSummary {
  return {
    demand_id: id,
    channel_id: "collab-0000abcd",
    status: "completed",
    channel_status: "finalized",
    round: 2,
    max_rounds: 3,
    awaiting_confirmation: false,
    suggestions: [],
    requester_id: "alice",
    raw_input: `demand ${id}`,
    surface_demand: "",
    capability_tags: ["venue"],
    created_at: "2026-11-21T08:00:00Z",
    ...change,
  };
}
const page = (...demands: DemandSummary[]) => ({ demands, next_cursor: null });

beforeEach(() => {
  setLang("en");
  HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close ??= function (this: HTMLDialogElement) {
    this.open = false;
  };
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("shows each row with its status, rounds and costs, and texts as text", async () => {
  const cost = { total: 3900, currency: "CNY", budget: null };
  const usage = { requests: 4, input_tokens: 10, output_tokens: 5, cost_usd: 0.02 };
  vi.spyOn(client, "demands").mockResolvedValue(page(demand("d-1", { cost, usage, raw_input: HOSTILE })));
  render(<ListPage />);
  const row = await screen.findByTestId("row-d-1");
  for (const words of [HOSTILE, "venue", t.statuses.completed, "2/3", "3,900", "0.02", t.requests(4)]) {
    expect(row.textContent).toContain(words);
  }
  expect(document.querySelector("img")).toBeNull();
  expect(row.querySelector("a")?.getAttribute("href")).toBe("#/n/d-1");
});

it("asks again for rows that run, and for no others", async () => {
  vi.useFakeTimers();
  const running = demand("d-1", { status: "processing", channel_status: "negotiating" });
  const list = vi
    .spyOn(client, "demands")
    .mockImplementation(async (_cursor, status) => (status ? page() : page(running, demand("d-2"))));
  render(<ListPage />);
  await act(() => vi.advanceTimersByTimeAsync(10));
  list.mockImplementation(async (_cursor, status) => (status ? page() : page(demand("d-1"), demand("d-2"))));
  await act(() => vi.advanceTimersByTimeAsync(5100));
  expect(screen.getByTestId("row-d-1").dataset.status).toBe("completed");
  const asked = list.mock.calls.length;
  await act(() => vi.advanceTimersByTimeAsync(20_000));
  expect(list.mock.calls.length).toBe(asked);
});

it("erases only after a question", async () => {
  vi.spyOn(client, "demands").mockResolvedValue(page(demand("d-1"), demand("d-2")));
  const erase = vi.spyOn(client, "erase").mockResolvedValue();
  render(<ListPage />);
  fireEvent.click(await screen.findByTestId("erase-d-1"));
  expect(erase).not.toHaveBeenCalled();
  fireEvent.click(screen.getByTestId("erase-confirm"));
  await expect.poll(() => screen.queryByTestId("row-d-1")).toBeNull();
  expect(erase).toHaveBeenCalledWith("d-1");
  expect(document.activeElement).toBe(screen.getByRole("link", { name: "demand d-2" }));
  fireEvent.click(screen.getByTestId("erase-d-2"));
  fireEvent.click(screen.getByTestId("erase-confirm"));
  await expect.poll(() => screen.queryByTestId("row-d-2")).toBeNull();
  expect(document.activeElement).toBe(screen.getByRole("heading", { level: 1 }));
});

it("asks for running rows one turn after the other, without a key, and ever more seldom while it cannot", async () => {
  vi.useFakeTimers();
  const running = demand("d-1", { status: "processing", channel_status: "negotiating" });
  const list = vi.spyOn(client, "demands").mockResolvedValue(page(running));
  render(<ListPage />);
  await act(() => vi.advanceTimersByTimeAsync(10));
  list.mockClear();
  list.mockImplementation(() => new Promise(() => undefined));
  await act(() => vi.advanceTimersByTimeAsync(60_000));
  expect(list).toHaveBeenCalledTimes(1);
  expect(list.mock.lastCall?.[3]).toBe(true);
  cleanup();
  list.mockResolvedValue(page(running));
  render(<ListPage />);
  await act(() => vi.advanceTimersByTimeAsync(10));
  list.mockClear();
  list.mockRejectedValue(new Problem({ code: "UNAUTHENTICATED", status: 401 }));
  await act(() => vi.advanceTimersByTimeAsync(34_900));
  expect(list).toHaveBeenCalledTimes(2); // after 5 and 15 seconds, not before 35
});

it("names the next step when there is nothing, and says why when it cannot read", async () => {
  const list = vi.spyOn(client, "demands").mockResolvedValue(page());
  render(<ListPage />);
  await screen.findByRole("button", { name: t.emptyAction });
  list.mockRejectedValue(new Problem({ code: "STORAGE", message: "store is busy", why: "locked" }));
  fireEvent.click(screen.getByTestId("list-filter-failed"));
  expect((await screen.findByText(/store is busy/)).textContent).toContain("locked");
});

it("says that a key was refused, not only that there is no list", async () => {
  vi.spyOn(client, "demands").mockRejectedValue(new Problem({ code: "UNAUTHENTICATED", status: 401 }));
  const shown = render(<ListPage />);
  await screen.findByText(t.failed);
  shown.unmount();
  session.setState({ apiKey: "wr0ng" });
  render(<ListPage />);
  await screen.findByText(t.keyRefused);
  session.setState({ apiKey: null });
});
