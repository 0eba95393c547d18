/** A run as a file on the reader's disk. */

import { client } from "../../api/client";
import { type Recording, recordingOf } from "../../state/replay";

/** Every event that the node has of a demand. */
export async function loadRecording(demandId: string, signal?: AbortSignal): Promise<Recording> {
  const [demand, events] = await Promise.all([
    client.demand(demandId, signal),
    client.allEvents(demandId, null, signal),
  ]);
  return recordingOf(demandId, demand.raw_input, events, new Date());
}

/** Only letters, digits and dashes of the id go into the name of the file. */
export function fileName(recording: Recording): string {
  const id = recording.demand_id.replace(/[^\w-]/g, "").slice(0, 40);
  return `moothall-${id || "events"}.json`;
}

export function saveFile(recording: Recording): void {
  const url = URL.createObjectURL(
    new Blob([JSON.stringify(recording, null, 1)], { type: "application/json" }),
  );
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName(recording);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000); // the browser has begun by then
}
