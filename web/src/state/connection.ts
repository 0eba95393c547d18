/** How the page is connected to a stream, as a pure machine: what happened goes in, what to do next comes out. */

export const SSE_CONFIG = {
  MAX_RECONNECT_ATTEMPTS: 5,
  RECONNECT_DELAY: 3000,
  RECONNECT_BACKOFF: 1.5,
} as const;

/** A stream that held for so long was sound: when it breaks, the attempts begin anew. */
export const SOUND_AFTER = 30_000;

export interface Connection {
  readonly kind: "connecting" | "live" | "reconnecting" | "lost" | "ended" | "replay";
  /** Which of the attempts this is; 0 while nothing went wrong. */
  readonly attempt: number;
  /** When the next attempt begins, in ms of the clock; null while one is under way. */
  readonly retryAt: number | null;
  /** Since when nothing new can come. */
  readonly staleSince: number | null;
}

/** A connection with what only its machine needs to know. */
export interface Link extends Connection {
  readonly openedAt: number | null;
}

export const CONNECTING: Link = {
  kind: "connecting",
  attempt: 0,
  retryAt: null,
  staleSince: null,
  openedAt: null,
};

export const REPLAY: Connection = { kind: "replay", attempt: 0, retryAt: null, staleSince: null };

/** Milliseconds before an attempt, the first being 1. */
export function delayBefore(attempt: number): number {
  return SSE_CONFIG.RECONNECT_DELAY * SSE_CONFIG.RECONNECT_BACKOFF ** (attempt - 1);
}

/** The stream is open. The attempts still count: a node that opens and breaks at once must not be asked for ever. */
export function opened(link: Link, now: number): Link {
  return over(link) ? link : { ...link, kind: "live", retryAt: null, staleSince: null, openedAt: now };
}

/** An event came: all is well. */
export function arrived(link: Link, now: number): Link {
  if (over(link) || (link.kind === "live" && link.attempt === 0)) return link;
  return {
    ...link,
    kind: "live",
    attempt: 0,
    retryAt: null,
    staleSince: null,
    openedAt: link.openedAt ?? now,
  };
}

/** The stream broke, or could not be opened. */
export function broken(link: Link, now: number): Link {
  if (over(link)) return link;
  const sound = link.openedAt !== null && now - link.openedAt >= SOUND_AFTER;
  const attempt = sound ? 1 : link.attempt + 1;
  const staleSince = link.staleSince ?? now;
  if (attempt > SSE_CONFIG.MAX_RECONNECT_ATTEMPTS) {
    return { ...link, kind: "lost", retryAt: null, staleSince, openedAt: null };
  }
  return {
    kind: "reconnecting",
    attempt,
    retryAt: now + delayBefore(attempt),
    staleSince,
    openedAt: null,
  };
}

/** The time of the next attempt has come. */
export function retrying(link: Link): Link {
  return link.kind === "reconnecting" ? { ...link, retryAt: null } : link;
}

/** There is nothing to be had by trying: no such demand, or nobody who may see it. */
export function abandoned(link: Link, now: number): Link {
  if (link.kind === "ended") return link;
  return { ...link, kind: "lost", retryAt: null, staleSince: link.staleSince ?? now, openedAt: null };
}

/** Everything there will ever be has come. */
export function finished(link: Link): Link {
  return { ...link, kind: "ended", attempt: 0, retryAt: null, staleSince: null, openedAt: null };
}

function over(link: Link): boolean {
  return link.kind === "ended" || link.kind === "lost";
}
