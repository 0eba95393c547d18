import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { run } from "../fixtures/runs";
import { fold } from "../state/apply";
import { createNegotiationStore } from "../state/store";
import { useReplay } from "./useReplay";

const RECORDING = run("full-agreement").recording; // one event each 600 ms
const TOTAL = RECORDING.events.length;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function replaying() {
  const store = createNegotiationStore();
  const shown = renderHook(({ recording }) => useReplay(recording, store), {
    initialProps: { recording: RECORDING },
  });
  const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
  const events = () => store.getState().negotiation.events.length;
  return { store, shown, pass, events, replay: () => shown.result.current };
}

it("plays to the end and stops", async () => {
  const { store, shown, pass, events, replay } = replaying();
  expect(store.getState().connection.kind).toBe("replay");
  await pass(650);
  expect([replay().position, events()]).toEqual([2, 2]);
  await pass(TOTAL * 600);
  expect(replay()).toMatchObject({ position: TOTAL, total: TOTAL, playing: false });
  expect(store.getState().negotiation).toEqual(fold(RECORDING.events));
  expect(vi.getTimerCount()).toBe(0);
  act(() => replay().play());
  await pass(50);
  expect([replay().position, events()]).toEqual([1, 1]);
  shown.unmount();
  expect(vi.getTimerCount()).toBe(0);
});

it("pauses, goes on from there, and faster when it is told to", async () => {
  const { pass, replay } = replaying();
  await pass(650);
  act(() => replay().pause());
  await pass(5000);
  expect(replay()).toMatchObject({ position: 2, playing: false });
  act(() => replay().play());
  await pass(650);
  expect(replay().position).toBe(3);
  act(() => replay().setSpeed(4));
  await pass(650);
  expect(replay()).toMatchObject({ position: 7, speed: 4 });
});

it("seeks forwards and backwards, and shows exactly that", async () => {
  const { store, replay, pass } = replaying();
  act(() => replay().pause());
  for (const to of [7, 3, 99, 0, 5, Number.NaN]) {
    act(() => replay().seek(to));
    const shown = Math.min(to || 0, TOTAL);
    expect(replay()).toMatchObject({ position: shown, playing: false });
    expect(store.getState().negotiation).toEqual(fold(RECORDING.events.slice(0, shown)));
  }
  act(() => replay().play());
  act(() => replay().seek(9));
  await pass(650);
  expect(replay()).toMatchObject({ position: 10, playing: true });
});

it("begins anew with another recording", async () => {
  const { shown, store, pass, replay } = replaying();
  await pass(3000);
  const { recording } = run("cancelled");
  shown.rerender({ recording });
  await pass(50);
  expect(replay()).toMatchObject({ position: 1, total: recording.events.length });
  expect(store.getState().negotiation).toEqual(fold(recording.events.slice(0, 1)));
});
