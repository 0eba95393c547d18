import { expect, it } from "vitest";
import type { LogEvent } from "../api/types";
import { apply, fold } from "./apply";
import { NOTHING } from "./model";
import { MOST_TEXT } from "./read";
import { createSession } from "./session";

const WORDS = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];

let seq = 0;

/** Parsed from text, as it comes from the wire: there `__proto__` is a key like any other. */
function event(type: string, payload: string): LogEvent {
  seq += 1;
  const id = `evt-0000abcd-${seq}`;
  return JSON.parse(
    `{"event_id": "${id}", "event_type": "${type}", "timestamp": "", "payload": ${payload}}`,
  ) as LogEvent;
}

it.each(WORDS)("%s is an id like any other", (word) => {
  const state = fold([
    event("towow.filter.completed", `{"candidates": [{"agent_id": "${word}", "display_name": "Ada"}]}`),
    event(
      "towow.offer.submitted",
      `{"agent_id": "${word}", "decision": "participate", "contribution": "a hall"}`,
    ),
    event("towow.aggregation.started", `{"silent": [], "unknown": {"${word}": "E003"}}`),
  ]);
  expect(state.candidateOrder).toEqual([word]);
  expect(state.candidates[word]).toMatchObject({ displayName: "Ada", status: "unknown", fault: "E003" });
  expect(state.candidates.isPrototypeOf).toBeUndefined();
  expect(Object.prototype).not.toHaveProperty("displayName");
});

it.each(WORDS)("%s is a type, and a key of a payload, like any other", (word) => {
  const odd = event(word, `{"${word}": {"polluted": true}}`);
  const state = apply(NOTHING, odd);
  expect(state.events).toEqual([odd]);
  expect(JSON.stringify(state.events[0]?.payload)).toContain(`"${word}":{"polluted":true}`);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

it("no demand has a token by the name of what every object knows", () => {
  const session = createSession();
  for (const word of WORDS) expect(session.getState().streamTokens[word]).toBeUndefined();
  session.getState().setStreamToken("__proto__", "t0k");
  expect(session.getState().streamTokens[WORDS[0] ?? ""]).toBe("t0k");
});

it("a text that is too long is cut where it is shown, and whole in its event", () => {
  const long = "长".repeat(MOST_TEXT + 5);
  const state = apply(NOTHING, event("towow.demand.submitted", `{"raw_input": "${long}"}`));
  expect(state.rawInput).toHaveLength(MOST_TEXT + 1);
  expect(state.rawInput.endsWith("…")).toBe(true);
  expect(state.events[0]?.payload.raw_input).toBe(long);
});

it("an event that nests without end is none", () => {
  const deep = event("x", `{"inner": ${"[".repeat(500)}${"]".repeat(500)}}`);
  expect(apply(NOTHING, deep)).toBe(NOTHING);
});
