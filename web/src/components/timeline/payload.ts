/** Reads values out of payloads that may have any form: what is not there or of another type is empty. */

import { type Json, list, numOrNull, record, str, strings } from "../../state/read";

export { type Json as Payload, record } from "../../state/read";

export const words = (payload: Json, key: string): string => str(payload[key]).trim();
export const count = (payload: Json, key: string): number | null => numOrNull(payload[key]);
export const items = (payload: Json, key: string): readonly unknown[] => list(payload[key]);
export const texts = (payload: Json, key: string): readonly string[] => strings(payload[key]);

/** How many entries a list or an object has. */
export const size = (payload: Json, key: string): number =>
  Math.max(items(payload, key).length, Object.keys(record(payload[key])).length);

/** The label of a fixed word; a word without a label stays as it is. */
export const labelled = (labels: Readonly<Record<string, string>>, word: string): string =>
  Object.hasOwn(labels, word) ? (labels[word] ?? word) : word;
