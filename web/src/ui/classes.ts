/** Joins class names; what is not set is left out. */
export function classes(...names: readonly (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

/** Attributes a test or a script may give to any primitive. */
export interface Marked {
  readonly "data-testid"?: string | undefined;
}
