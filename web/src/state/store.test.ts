import { expect, it } from "vitest";
import { eventsOf } from "../fixtures/runs";
import { fold } from "./apply";
import { CONNECTING, REPLAY } from "./connection";
import { NOTHING } from "./model";
import { createNegotiationStore } from "./store";

const EVENTS = eventsOf("substitute");

it("takes one event or many, and tells of a change once", () => {
  const store = createNegotiationStore();
  let changes = 0;
  store.subscribe(() => {
    changes += 1;
  });
  const [first] = EVENTS;
  if (first) store.getState().receive(first);
  store.getState().receive(EVENTS);
  store.getState().receive(EVENTS);
  store.getState().receive([]);
  expect(changes).toBe(2);
  expect(store.getState().negotiation).toEqual(fold(EVENTS));
});

it("keeps the connection when the page begins anew", () => {
  const store = createNegotiationStore();
  expect(store.getState().connection).toBe(CONNECTING);
  store.getState().connected(REPLAY);
  store.getState().receive(EVENTS);
  store.getState().reset();
  expect(store.getState()).toMatchObject({ negotiation: NOTHING, connection: REPLAY });
});
