import { expect, it } from "vitest";
import { readable } from "../api/readable";
import type { LogEvent } from "../api/types";
import { fold } from "./apply";
import { controlsShown, withoutControls } from "./controls";

const TURNED = "Ada\u202e evil\u2066\u200f\u061c\u0007\u0085!";

it("takes out what nobody sees, and leaves every letter, line and tab", () => {
  expect(withoutControls(TURNED)).toBe("Ada evil!");
  expect(withoutControls("one\ntwo\tthree")).toBe("one\ntwo\tthree");
  expect(withoutControls("שלום عربي 👩‍👩‍👧 é")).toBe("שלום عربي 👩‍👩‍👧 é");
  expect(controlsShown("a\u202eb\u0007")).toBe("a\\u202eb\\u0007");
});

it("keeps it from every text of a run that is shown, not from the event itself", () => {
  const event: LogEvent = {
    event_id: "evt-0000abcd-0",
    event_type: "towow.offer.submitted",
    timestamp: "",
    payload: { agent_id: "a", display_name: TURNED, contribution: TURNED, conditions: [TURNED] },
  };
  const state = fold([event]);
  const { events, ...shown } = state;
  expect(JSON.stringify(shown)).not.toContain("\u202e");
  expect(state.candidates.a?.displayName).toBe("Ada evil!");
  expect(events[0]).toBe(event);
});

it("keeps it from the answers of the node, but for what is shown raw", () => {
  const answer = { name: TURNED, rows: [{ [TURNED]: 1, result: TURNED }], none: null };
  expect(readable(answer, ["result"])).toEqual({
    name: "Ada evil!",
    rows: [{ "Ada evil!": 1, result: TURNED }],
    none: null,
  });
  const polluted: unknown = JSON.parse('{"__proto__": {"x": "1"}}');
  expect(JSON.stringify(readable(polluted))).toBe('{"__proto__":{"x":"1"}}');
  let deep: unknown = "bottom";
  for (let level = 0; level < 20_000; level += 1) deep = [deep];
  expect(() => readable(deep)).not.toThrow();
});
