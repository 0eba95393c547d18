/** One request to the node: its headers, its keys, and its answer as JSON or as a `Problem`. */

import { isSendable, type KeyKind, keyOf, type Session } from "../state/session";
import { asProblem, BAD_ANSWER, Problem, problemOf } from "./problem";

export interface Asked {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
  /** Which key opens the route; null for the routes of people, who bring a token. */
  readonly key?: KeyKind | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | null | undefined>>;
  readonly signal?: AbortSignal | undefined;
  /** Nobody waits for the answer: the person is not asked for a key. */
  readonly background?: boolean;
}

export class Transport {
  constructor(
    private readonly session: Session,
    private readonly base: string,
  ) {}

  /** The address of a route, relative to the page, so that the node may be published below a path. */
  url(path: string, query: Asked["query"] = {}): string {
    const given = Object.entries(query).filter(
      ([, value]) => value !== null && value !== undefined && value !== "",
    );
    const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return `${this.base}${path}${search === "" ? "" : `?${search}`}`;
  }

  /** Send it; where the node wants a key the person is asked for it, and it is sent again. */
  async send(path: string, asked: Asked = {}): Promise<unknown> {
    const kind = asked.key === undefined ? "api" : asked.key;
    for (;;) {
      const used = kind === null ? null : keyOf(this.session.getState(), kind);
      try {
        return await this.once(path, asked, kind, used);
      } catch (problem) {
        if (kind === null || asked.background || !wantsKey(problem, kind)) throw problem;
        if (!(await this.another(kind, used))) throw problem;
      }
    }
  }

  /** Whether there is another key than the one that was refused; a key given meanwhile counts. */
  private async another(kind: KeyKind, refused: string | null): Promise<boolean> {
    const now = keyOf(this.session.getState(), kind);
    return now !== refused || (await this.session.getState().ask(kind));
  }

  private async once(path: string, asked: Asked, kind: KeyKind | null, key: string | null): Promise<unknown> {
    if (!Object.values(asked.headers ?? {}).every(isSendable))
      throw new Problem({ code: "UNAUTHENTICATED", status: 401 });
    const answer = await this.fetched(path, asked, {
      ...plain(asked),
      ...keyHeader(kind, key),
      ...asked.headers,
    });
    if (!answer.ok) throw await problemOf(answer);
    if (answer.status === 204) return null;
    try {
      return await answer.json();
    } catch {
      throw new Problem({ code: BAD_ANSWER, status: answer.status });
    }
  }

  private async fetched(path: string, asked: Asked, headers: Record<string, string>): Promise<Response> {
    try {
      return await fetch(this.url(path, asked.query), {
        method: asked.method ?? "GET",
        headers,
        cache: "no-store",
        credentials: "omit",
        ...(asked.body === undefined ? {} : { body: JSON.stringify(asked.body) }),
        ...(asked.signal === undefined ? {} : { signal: asked.signal }),
      });
    } catch (thrown) {
      if (asked.signal?.aborted) throw thrown;
      throw asProblem(thrown);
    }
  }
}

function plain(asked: Asked): Record<string, string> {
  const headers = { Accept: "application/json", "Accept-Language": language() };
  return asked.body === undefined ? headers : { ...headers, "Content-Type": "application/json" };
}

/** The language that the page shows: the shell keeps it on the root element. */
function language(): string {
  return document.documentElement.lang || navigator.language;
}

function keyHeader(kind: KeyKind | null, key: string | null): Record<string, string> {
  if (kind === null || key === null) return {};
  return kind === "admin" ? { "X-Admin-Key": key } : { Authorization: `Bearer ${key}` };
}

/** An admin route refuses a wrong key with 403; elsewhere 403 means something that a key does not change. */
function wantsKey(problem: unknown, kind: KeyKind): boolean {
  if (!(problem instanceof Problem)) return false;
  return problem.code === "UNAUTHENTICATED" || (kind === "admin" && problem.code === "FORBIDDEN");
}
