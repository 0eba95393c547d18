/** Readers of values whose type nobody vouches for: each gives a value of its type, whatever it is given. */

/** An object whose keys are known by name and whose values are not. */
export type Loose<T> = { readonly [K in keyof T]?: unknown };

export type Json = Readonly<Record<string, unknown>>;

const NO_FIELDS: Json = {};

export function str(value: unknown, otherwise = ""): string {
  return typeof value === "string" ? value : otherwise;
}

export function strOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
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

export function flag(value: unknown): boolean {
  return value === true;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function strings(value: unknown): readonly string[] {
  return list(value).filter((item) => typeof item === "string");
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

/** A participant's id. A word that every object knows (`constructor`) is none: candidates are kept by id. */
export function agentId(value: unknown): string {
  const id = str(value);
  return id in Object.prototype ? "" : id;
}
