/** Answers of the node that are shown: foreign texts in them cannot turn the words of the page around. */

import { withoutControls } from "../state/controls";
import { isRecord } from "../state/read";

const DEEPEST = 64;

/** An answer with each of its texts ready to be shown, but for the keys that are kept as they came. */
export function readable<T>(value: T, kept: readonly string[] = []): T {
  return cleaned(value, kept, 0) as T;
}

function cleaned(value: unknown, kept: readonly string[], depth: number): unknown {
  if (typeof value === "string") return withoutControls(value);
  if (depth > DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item) => cleaned(item, kept, depth + 1));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) =>
    kept.includes(key) ? [key, inner] : [withoutControls(key), cleaned(inner, kept, depth + 1)],
  );
  return Object.fromEntries(entries);
}
