/** A request that did not do what it was asked for, in the node's words or, where it has none, by a code. */

/** Codes that the page gives itself: the node was not reached, or something else answered in its place. */
export const OFFLINE = "OFFLINE";
export const BAD_ANSWER = "BAD_ANSWER";

interface Details {
  readonly code: string;
  readonly status?: number;
  readonly message?: string;
  readonly why?: string;
  readonly hint?: string;
  readonly retryAfter?: number | null;
}

export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: string;
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly why: string;
  readonly hint: string;
  /** Seconds after which it makes sense to try again. */
  readonly retryAfter: number | null;

  constructor(details: Details) {
    super(details.message ?? "");
    this.code = details.code;
    this.status = details.status ?? 0;
    this.why = details.why ?? "";
    this.hint = details.hint ?? "";
    this.retryAfter = details.retryAfter ?? null;
  }
}

/** The problem that an answer tells of; one that is not the node's own (a proxy's page) has no words for people. */
export async function problemOf(answer: Response): Promise<Problem> {
  const status = answer.status;
  const retryAfter = seconds(answer.headers.get("Retry-After"));
  const told = errorIn(await answer.json().catch(() => null));
  if (told === null) return new Problem({ code: BAD_ANSWER, status, retryAfter });
  return new Problem({ ...told, status, retryAfter });
}

/** Whatever was thrown, as a problem. An aborted request is none: its caller does not listen any more. */
export function asProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  return new Problem({ code: OFFLINE, message: thrown instanceof Error ? thrown.message : "" });
}

function errorIn(body: unknown): Details | null {
  const error = field(body, "error");
  const code = field(error, "code");
  if (typeof code !== "string" || code === "") return null;
  return { code, message: text(error, "message"), why: text(error, "why"), hint: text(error, "hint") };
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  return typeof found === "string" ? found : "";
}

function seconds(header: string | null): number | null {
  const value = Number(header ?? "");
  return header !== null && header.trim() !== "" && Number.isFinite(value) && value >= 0 ? value : null;
}
