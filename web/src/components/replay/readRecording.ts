import { Problem } from "../../api/problem";
import { MOST_BYTES } from "../../state/recording";
import { parseRecording, type Recording, type RecordingFault } from "../../state/replay";

export type ReadFault = RecordingFault | "RECORDING_UNREADABLE";

/** What a file holds, or what is wrong with it. One that is too large is not even read. */
export async function readRecording(file: File): Promise<Recording | ReadFault> {
  if (file.size > MOST_BYTES) return "RECORDING_TOO_LARGE";
  let text: string;
  try {
    text = await file.text();
  } catch {
    return "RECORDING_UNREADABLE";
  }
  const parsed = parseRecording(text);
  return parsed instanceof Problem ? (parsed.code as RecordingFault) : parsed;
}
