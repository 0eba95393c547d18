import { expect, it } from "vitest";
import { recordingOf } from "../../state/replay";
import { fileName } from "./download";
import { readRecording } from "./readRecording";

const EVENT = { event_id: "evt-0000abcd-0", event_type: "x", timestamp: "2026-11-21T08:00:00Z", payload: {} };
const file = (text: string) => new File([text], "x.json");

it("reads back what was downloaded", async () => {
  const recording = recordingOf("d-0000abcd", "<b>hi</b>", [EVENT], new Date(0));
  expect(await readRecording(file(JSON.stringify(recording)))).toEqual(recording);
  expect(fileName(recording)).toBe("moothall-d-0000abcd.json");
});

it.each([
  ["no", "RECORDING_NO_JSON"],
  ["[]", "RECORDING_OTHER_FORMAT"],
  ['{"format": "moothall-events", "version": 1, "events": []}', "RECORDING_EMPTY"],
  ['{"format": "moothall-events", "version": 1, "events": [1]}', "RECORDING_BAD_EVENT"],
])("refuses %s", async (text, fault) => {
  expect(await readRecording(file(text))).toBe(fault);
});

it("does not read what is too large, and tells what cannot be read", async () => {
  const large = Object.defineProperty(file("x"), "size", { value: 21 * 1024 * 1024 });
  expect(await readRecording(large)).toBe("RECORDING_TOO_LARGE");
  const gone = Object.defineProperty(file("x"), "text", { value: () => Promise.reject(new Error("gone")) });
  expect(await readRecording(gone)).toBe("RECORDING_UNREADABLE");
});

it("names a file after letters only", () => {
  expect(fileName(recordingOf("../../<x>", "", [EVENT], new Date(0)))).toBe("moothall-x.json");
});
