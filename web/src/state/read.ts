/** Readers of values whose type nobody vouches for: each gives a value of its type, whatever it is given. */

import { withoutControls } from "./controls";

/** An object whose keys are known by name and whose values are not. */
export type Loose<T> = { readonly [K in keyof T]?: unknown };

export type Json = Readonly<Record<string, unknown>>;

const NO_FIELDS: Json = {};

/** No text that is shown is longer: a page that lays out a megabyte of one is no page any more. */
export const MOST_TEXT = 20_000;

export function str(value: unknown, otherwise = ""): string {
  return strOrNull(value) ?? otherwise;
}

export function strOrNull(value: unknown): string | null {
  return typeof value === "string" ? shown(value) : null;
}

/** A text as it is shown: without what nobody sees, and not too long. */
function shown(text: string): string {
  return withoutControls(cut(text));
}

/** What is too long ends with an ellipsis. */
export function cut(text: string): string {
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}…` : text;
}

/** A finite number, else null: JSON knows no other, and arithmetic must not meet one. */
export function numOrNull(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value + 0 : null;
}

export function num(value: unknown, otherwise = 0): number {
  return numOrNull(value) ?? otherwise;
}

/** A whole number that is not negative. */
export function count(value: unknown, otherwise = 0): number {
  const found = numOrNull(value);
  return found !== null && Number.isSafeInteger(found) && found >= 0 ? found : otherwise;
}

/** No protocol has more rounds; each has a place on the page. */
export const MOST_ROUNDS = 10;

/** The number of a round; 0 before the first. */
export function roundNumber(value: unknown, otherwise = 0): number {
  return Math.min(count(value, otherwise), MOST_ROUNDS);
}

/** How many rounds there may be. */
export function roundLimit(value: unknown, otherwise: number): number {
  return Math.max(1, roundNumber(value, otherwise));
}

export function flag(value: unknown): boolean {
  return value === true;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Any value in a few words: what is no text and no number is written as JSON. */
export function plainly(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return shown(String(value));
  try {
    return shown(JSON.stringify(value));
  } catch {
    return "…";
  }
}

export function strings(value: unknown): readonly string[] {
  return list(value)
    .filter((item) => typeof item === "string")
    .map(shown);
}

export function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function record(value: unknown): Json {
  return isRecord(value) ? value : NO_FIELDS;
}

export function records(value: unknown): readonly Json[] {
  return list(value).filter(isRecord);
}

/** An object as one whose keys are those of `T`; a missing one reads as undefined. */
export function fields<T>(value: unknown): Loose<T> {
  return record(value) as Loose<T>;
}

export function oneOf<const T extends string>(value: unknown, known: readonly T[], otherwise: T): T {
  return known.find((item) => item === value) ?? otherwise;
}

export function oneOrNull<const T extends string>(value: unknown, known: readonly T[]): T | null {
  return known.find((item) => item === value) ?? null;
}

/** A record with one entry more. It inherits nothing, so that any foreign word can be its key (`constructor`). */
export function withEntry<T>(
  before: Readonly<Record<string, T>>,
  key: string,
  value: T,
): Readonly<Record<string, T>> {
  const after: Record<string, T> = Object.assign(Object.create(null), before);
  after[key] = value;
  return after;
}

/** A record without entries that inherits nothing. */
export function noEntries<T>(): Readonly<Record<string, T>> {
  return Object.create(null) as Readonly<Record<string, T>>;
}

/** Whether a value nests deeper than so many levels; found without recursion, which has its own depth. */
export function isDeeper(value: unknown, most: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth <= most; depth += 1) {
    level = level.flatMap((item) => (typeof item === "object" && item !== null ? Object.values(item) : []));
    if (level.length === 0) return false;
  }
  return true;
}
