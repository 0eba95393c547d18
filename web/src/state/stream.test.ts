import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Problem } from "../api/problem";
import type { DemandState, DemandView, LogEvent } from "../api/types";
import { FakeEventSource } from "../fixtures/eventSource";
import { eventsOf } from "../fixtures/runs";
import { fold } from "./apply";
import { createSession } from "./session";
import { createNegotiationStore } from "./store";
import { follow, type Stream } from "./stream";

const EVENTS = eventsOf("full-agreement");
const DEMAND = "d-00000001";
const TOLD = { stream_token: "s3cret" } as DemandView;
const DELAYS = [3000, 4500, 6750, 10_125, 15_187.5];

const status = vi.fn<(id: string) => Promise<DemandState>>();
const demand = vi.fn<(id: string) => Promise<DemandView>>();
const allEvents = vi.fn<(id: string, after?: string | null) => Promise<LogEvent[]>>();

let open: Stream[] = [];

function following() {
  const store = createNegotiationStore();
  const session = createSession();
  const problems: (Problem | null)[] = [];
  const streamUrl = (id: string, last?: string | null) =>
    `${id}?last=${last ?? ""}&token=${session.getState().streamTokens[id] ?? ""}`;
  const client = { status, demand, allEvents, streamUrl };
  const start = () => {
    const stream = follow({
      demandId: DEMAND,
      store,
      client,
      session,
      onProblem: (problem) => problems.push(problem),
    });
    open.push(stream);
    return stream;
  };
  return { store, session, problems, start, connection: () => store.getState().connection };
}

const source = () => FakeEventSource.last();
const settled = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.all = [];
  vi.resetAllMocks();
  status.mockResolvedValue({ status: "processing" } as DemandState);
  demand.mockResolvedValue({ stream_token: null } as unknown as DemandView);
  allEvents.mockResolvedValue([]);
});

afterEach(() => {
  for (const stream of open) stream.close();
  open = [];
  expect(vi.getTimerCount()).toBe(0);
  expect(FakeEventSource.all.every((item) => item.closed)).toBe(true);
  vi.useRealTimers();
});

it("follows a negotiation to its end and asks for nothing more", async () => {
  const { store, start, connection } = following();
  start();
  expect(connection().kind).toBe("connecting");
  source().opens();
  expect(connection().kind).toBe("live");
  for (const event of EVENTS) source().says(event);
  expect(store.getState().negotiation).toEqual(fold(EVENTS));
  expect(connection().kind).toBe("ended");
  expect(source().closed).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

it("tells many frames as one change, and drops those that it knows", async () => {
  const { store, start } = following();
  let changes = 0;
  store.subscribe((now, before) => {
    if (now.negotiation !== before.negotiation) changes += 1;
  });
  start();
  source().opens();
  for (const event of [...EVENTS.slice(0, 9), ...EVENTS.slice(0, 9)]) source().says(event);
  source().says("no event");
  await vi.advanceTimersByTimeAsync(20);
  expect(changes).toBe(1);
  expect(store.getState().negotiation.events).toEqual(EVENTS.slice(0, 9));
});

it("tries five times at the agreed delays, each time with the last id, and then gives up", async () => {
  const { start, connection } = following();
  start();
  source().opens();
  for (const event of EVENTS.slice(0, 3)) source().says(event);
  for (const [index, delay] of DELAYS.entries()) {
    const broken = source();
    broken.breaks();
    expect(broken.closed).toBe(true);
    expect(connection()).toMatchObject({ kind: "reconnecting", attempt: index + 1 });
    expect(connection().retryAt).toBe(Date.now() + delay);
    await vi.advanceTimersByTimeAsync(Math.floor(delay) - 1);
    expect(FakeEventSource.all).toHaveLength(index + 1);
    await vi.advanceTimersByTimeAsync(2);
    expect(FakeEventSource.all).toHaveLength(index + 2);
    expect(source().url).toContain(`last=${EVENTS[2]?.event_id}`);
  }
  source().breaks();
  expect(connection()).toMatchObject({ kind: "lost", retryAt: null });
  await vi.advanceTimersByTimeAsync(600_000);
  expect(FakeEventSource.all).toHaveLength(6);
});

it("begins again when it is told to, and after an event the attempts are new", async () => {
  const { start, connection } = following();
  const stream = start();
  for (const delay of DELAYS) {
    source().breaks();
    await vi.advanceTimersByTimeAsync(delay + 1);
  }
  source().breaks();
  expect(connection().kind).toBe("lost");
  stream.reconnect();
  expect(connection()).toMatchObject({ kind: "connecting", attempt: 0 });
  source().opens();
  source().says(EVENTS[0]);
  source().breaks();
  expect(connection()).toMatchObject({ kind: "reconnecting", attempt: 1 });
});

it("does not ask a demand that has ended, however often it is told to", () => {
  const { start, store, connection } = following();
  store.getState().receive(EVENTS);
  const stream = start();
  stream.reconnect();
  expect(FakeEventSource.all).toEqual([]);
  expect(connection().kind).toBe("ended");
});

it("fetches what it missed of a negotiation that ended meanwhile", async () => {
  const { start, store, connection } = following();
  start();
  source().opens();
  for (const event of EVENTS.slice(0, 5)) source().says(event);
  source().breaks();
  expect(status).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(3001);
  status.mockResolvedValue({ status: "completed" } as DemandState);
  allEvents.mockResolvedValue(EVENTS.slice(5));
  source().breaks();
  await settled();
  expect(allEvents.mock.lastCall?.[1]).toBe(EVENTS[4]?.event_id);
  expect(store.getState().negotiation).toEqual(fold(EVENTS));
  expect(connection().kind).toBe("ended");
});

it("gives up at once where there is no such demand", async () => {
  const { start, connection, problems } = following();
  status.mockRejectedValue(new Problem({ code: "E002", status: 404 }));
  start();
  source().breaks();
  await settled();
  expect(connection()).toMatchObject({ kind: "lost", retryAt: null });
  expect(problems.at(-1)?.code).toBe("E002");
});

it("goes on trying while the node cannot be reached at all", async () => {
  const { start, connection, problems } = following();
  status.mockRejectedValue(new Problem({ code: "OFFLINE" }));
  start();
  source().breaks();
  await settled();
  expect(connection()).toMatchObject({ kind: "reconnecting", attempt: 1 });
  expect(problems.filter(Boolean)).toEqual([]);
});

it("learns the token of the stream once the person gave a key", async () => {
  demand.mockResolvedValue(TOLD);
  const { start, session } = following();
  status.mockImplementation(async () => {
    session.setState({ apiKey: "k" });
    return { status: "processing" } as DemandState;
  });
  start();
  source().breaks();
  await settled();
  expect(source().url).toContain("token=s3cret");
  expect(FakeEventSource.all).toHaveLength(2);
});

it("asks for the token first where a key is known", async () => {
  demand.mockResolvedValue(TOLD);
  const { start, session } = following();
  session.setState({ apiKey: "k" });
  start();
  expect(FakeEventSource.all).toEqual([]);
  await settled();
  expect(source().url).toContain("token=s3cret");
});

it("waits and tries again when even the token cannot be fetched", async () => {
  demand.mockResolvedValue(TOLD);
  const { start, session, connection } = following();
  session.setState({ apiKey: "k" });
  demand.mockRejectedValueOnce(new Problem({ code: "OFFLINE" }));
  start();
  await settled();
  expect(connection()).toMatchObject({ kind: "reconnecting", attempt: 1 });
  await vi.advanceTimersByTimeAsync(3001);
  source().breaks();
  await settled();
  expect(source().url).toContain("token=s3cret");
});

it("renews a token that is refused, also while the key stays the same, and once before each wait", async () => {
  const { start, session, connection } = following();
  session.setState({ apiKey: "k" });
  session.getState().setStreamToken(DEMAND, "old");
  demand.mockImplementation(async () => ({ stream_token: `t${demand.mock.calls.length}` }) as DemandView);
  start();
  expect(source().url).toContain("token=old");
  source().breaks();
  await settled();
  expect(source().url).toContain("token=t1");
  source().breaks();
  await settled();
  expect(FakeEventSource.all).toHaveLength(2);
  expect(connection()).toMatchObject({ kind: "reconnecting", attempt: 1 });
  await vi.advanceTimersByTimeAsync(3001);
  expect(source().url).toContain("token=t2");
  source().opens();
  source().says(EVENTS[0]);
  source().breaks();
  await vi.advanceTimersByTimeAsync(3001);
  source().breaks();
  await settled();
  expect(source().url).toContain("token=t3");
});

it("passes its token on to the sub-negotiations", async () => {
  const { start, session } = following();
  session.getState().setStreamToken(DEMAND, "mine");
  start();
  for (const event of eventsOf("sub-negotiation")) source().says(event);
  expect(session.getState().streamTokens["d-00000002"]).toBe("mine");
});

it("loses nothing that came just before it was closed", () => {
  const { start, store } = following();
  const stream = start();
  source().says(EVENTS[0]);
  stream.close();
  expect(store.getState().negotiation.events).toHaveLength(1);
});
