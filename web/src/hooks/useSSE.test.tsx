import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeEventSource } from "../fixtures/eventSource";
import { eventsOf } from "../fixtures/runs";
import { createNegotiationStore } from "../state/store";
import { useSSE } from "./useSSE";

const EVENTS = eventsOf("three-rounds");

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("no network")));
  FakeEventSource.all = [];
});

afterEach(() => vi.useRealTimers());

it("follows while it is shown, resumes with the last id, and leaves nothing behind", async () => {
  const store = createNegotiationStore();
  const shown = renderHook(({ id }) => useSSE(id, store), { initialProps: { id: "d-00000001" } });
  expect(FakeEventSource.last().url).toBe("./api/v1/events/negotiations/d-00000001/stream");
  FakeEventSource.last().opens();
  FakeEventSource.last().says(EVENTS[0]);
  FakeEventSource.last().breaks();
  await act(() => vi.advanceTimersByTimeAsync(3001));
  expect(FakeEventSource.last().url).toContain(`last_event_id=${EVENTS[0]?.event_id}`);
  FakeEventSource.last().breaks();
  shown.unmount();
  expect(vi.getTimerCount()).toBe(0);
  expect(FakeEventSource.all.every((source) => source.closed)).toBe(true);
});

it("follows another demand when it is told to, and begins again on request", async () => {
  const store = createNegotiationStore();
  const shown = renderHook(({ id }) => useSSE(id, store), { initialProps: { id: "d-00000001" } });
  shown.rerender({ id: "d-00000002" });
  expect(FakeEventSource.all.map((source) => source.closed)).toEqual([true, false]);
  for (const delay of [3000, 4500, 6750, 10_125, 15_187.5]) {
    FakeEventSource.last().breaks();
    await act(() => vi.advanceTimersByTimeAsync(delay + 1));
  }
  FakeEventSource.last().breaks();
  expect(store.getState().connection.kind).toBe("lost");
  act(() => shown.result.current.reconnect());
  expect(store.getState().connection.kind).toBe("connecting");
  expect(FakeEventSource.last().url).toContain("d-00000002");
  shown.unmount();
  expect(vi.getTimerCount()).toBe(0);
});
