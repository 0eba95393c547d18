import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Problem } from "../api/problem";
import type { LogEvent } from "../api/types";
import { eventsOf, run } from "../fixtures/runs";
import { MOST_BYTES, MOST_RECORDED } from "./recording";
import {
  elapsedAt,
  LONGEST_PAUSE_MS,
  lengthOf,
  parseRecording,
  positionAt,
  recordingOf,
  SHORTEST_IN_A_ROW_MS,
  SHORTEST_PAUSE_MS,
} from "./replay";

const EVENTS = eventsOf("three-rounds");
const recordingAt = (seconds: readonly number[]) =>
  recordingOf(
    "d-00000001",
    "",
    seconds.map((at, seq) => ({
      event_id: `evt-00000001-${seq}`,
      event_type: "towow.any",
      timestamp: new Date(at * 1000).toISOString(),
      payload: {},
    })),
    new Date(0),
  );

const BOTTOMLESS = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

/** An event whose payload nests in so many further levels. */
function nested(levels: number): LogEvent {
  let inner: unknown = "bottom";
  for (let level = 0; level < levels; level += 1) inner = [inner];
  return { event_id: "evt-00000001-0", event_type: "x", timestamp: "", payload: { inner } };
}

describe("the player", () => {
  it("shows each event when it is due, and no pause for longer than five seconds", () => {
    const recording = recordingAt([0, 2, 3, 3600, 3601]);
    expect([0, 1999, 2000, 3000, 7999, 8000, 9000].map((at) => positionAt(recording, at, 1))).toEqual([
      1, 1, 2, 3, 3, 4, 5,
    ]);
    expect(positionAt(recording, 1000, 2)).toBe(2);
    expect(lengthOf(recording)).toBe(2000 + 1000 + LONGEST_PAUSE_MS + 1000);
  });

  it("takes a clock that went back, or no clock at all, for the shortest pause", () => {
    expect(lengthOf(recordingAt([10, 5, 6]))).toBe(SHORTEST_IN_A_ROW_MS + 1000);
    const odd = recordingAt([0, 1]);
    const without = { ...odd, events: odd.events.map((event) => ({ ...event, timestamp: "yesterday" })) };
    expect(lengthOf(without)).toBe(SHORTEST_IN_A_ROW_MS);
    expect(positionAt({ ...odd, events: [] }, 5000, 1)).toBe(0);
  });

  it("shows each step for a while, though the run took no time; several offers in a row share it", () => {
    const run = recordingAt([0, 0, 0.01, 0.01, 0.02]);
    const types = ["filter.completed", "offer.submitted", "offer.submitted", "aggregation.started", "x"];
    const events = run.events.map((event, at) => ({ ...event, event_type: `towow.${types[at]}` }));
    const due = [300, 400, 700, 1000];
    const recording = { ...run, events };
    expect(due.map((at) => positionAt(recording, at, 1))).toEqual([2, 3, 4, 5]);
    expect(due.map((at) => positionAt(recording, at - 1, 1))).toEqual([1, 2, 3, 4]);
    expect([2, 3, 4, 5].map((position) => elapsedAt(recording, position, 1))).toEqual(due);
    expect(lengthOf(recording)).toBe(3 * SHORTEST_PAUSE_MS + SHORTEST_IN_A_ROW_MS);
    for (const name of ["full-agreement", "three-rounds"]) {
      expect(lengthOf({ ...recording, events: eventsOf(name) }), name).toBeGreaterThan(3000);
    }
  });

  const seconds = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });
  const moment = fc.double({ min: 0, max: 1e7, noNaN: true });
  const speed = fc.constantFrom(0.5, 1, 2, 4, 8);

  it("never goes back in time, and comes to its end", () => {
    fc.assert(
      fc.property(seconds, moment, moment, speed, (at, one, other, fast) => {
        const recording = recordingAt(at);
        const [early, late] = [Math.min(one, other), Math.max(one, other)];
        expect(positionAt(recording, early, fast)).toBeLessThanOrEqual(positionAt(recording, late, fast));
        expect(positionAt(recording, lengthOf(recording) / fast, fast)).toBe(at.length);
      }),
    );
  });

  it("goes on from where it was set", () => {
    fc.assert(
      fc.property(seconds, fc.nat(50), speed, (at, to, fast) => {
        const recording = recordingAt(at);
        const position = Math.min(to, at.length);
        const elapsed = elapsedAt(recording, position, fast);
        expect(positionAt(recording, elapsed, fast)).toBeGreaterThanOrEqual(position);
        if (position > 1) expect(positionAt(recording, elapsed - 1e-3, fast)).toBeLessThanOrEqual(at.length);
      }),
    );
  });
});

describe("a recording", () => {
  const { recording } = run("three-rounds");
  const faultOf = (text: string) => {
    const parsed = parseRecording(text);
    return parsed instanceof Problem ? parsed.code : null;
  };

  it("comes back as it was written", () => {
    expect(parseRecording(JSON.stringify(recording))).toEqual(recording);
    const exported = recordingOf("d-00000001", "x", EVENTS, new Date("2026-11-21T08:00:00Z"));
    expect(parseRecording(JSON.stringify(exported))).toEqual(exported);
  });

  it("may nest as deep as anybody has to", () => {
    expect(faultOf(JSON.stringify({ ...recording, events: [nested(63)] }))).toBeNull();
  });

  it("holds each event once", () => {
    const twice = { ...recording, events: [...recording.events, ...recording.events] };
    expect(parseRecording(JSON.stringify(twice))).toEqual(recording);
  });

  it.each([
    ["RECORDING_NO_JSON", "not json"],
    ["RECORDING_OTHER_FORMAT", "[]"],
    ["RECORDING_OTHER_FORMAT", JSON.stringify({ ...recording, version: 2 })],
    ["RECORDING_OTHER_FORMAT", JSON.stringify({ ...recording, format: "har" })],
    ["RECORDING_EMPTY", JSON.stringify({ ...recording, events: [] })],
    ["RECORDING_EMPTY", JSON.stringify({ ...recording, events: "many" })],
    ["RECORDING_BAD_EVENT", JSON.stringify({ ...recording, events: [...EVENTS, { event_id: 3 }] })],
    ["RECORDING_BAD_EVENT", JSON.stringify({ ...recording, events: [{ ...EVENTS[0], payload: [] }] })],
    ["RECORDING_TOO_DEEP", JSON.stringify({ ...recording, events: [nested(64)] })],
    [
      "RECORDING_TOO_DEEP",
      JSON.stringify({ ...recording, events: [nested(0)] }).replace('"bottom"', BOTTOMLESS),
    ],
    ["RECORDING_TOO_MANY", JSON.stringify({ ...recording, events: Array(MOST_RECORDED + 1).fill(0) })],
    ["RECORDING_TOO_LARGE", "x".repeat(MOST_BYTES + 1)],
    ["RECORDING_TOO_LARGE", "场".repeat(MOST_BYTES / 3 + 1)],
  ])("is refused: %s", (code, text) => {
    expect(faultOf(text)).toBe(code);
  });

  it("is read or refused, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(faultOf(text)).toMatch(/^RECORDING_/);
      }),
    );
  });
});
