/** Keys and tokens of this page: in memory only, gone with the tab. */

import { createStore, type StoreApi } from "zustand/vanilla";
import { noEntries, withEntry } from "./read";

export type KeyKind = "api" | "admin";

export interface ParticipantLink {
  readonly name: string;
  readonly url: string;
}

export interface SessionState {
  readonly apiKey: string | null;
  readonly adminKey: string | null;
  /** By demand id. */
  readonly streamTokens: Readonly<Record<string, string>>;
  readonly participantLinks: Readonly<Record<string, readonly ParticipantLink[]>>;
  /** The key that somebody waits for; the page shows a dialog while this is set. */
  readonly keyAsked: KeyKind | null;
  /** Whether the node refused the key that was there before. */
  readonly keyRefused: boolean;
  setStreamToken(demandId: string, token: string): void;
  setParticipantLinks(demandId: string, links: readonly ParticipantLink[]): void;
  /** Ask the person for a key; false when they would rather not. All who ask at once get the same answer. */
  ask(kind: KeyKind): Promise<boolean>;
  /** The person's answer to `keyAsked`; null closes the question, as does a key that no header can carry. */
  answer(key: string | null): void;
  /** Whoever asked has gone: every question is answered with no. */
  dismiss(): void;
}

export type Session = StoreApi<SessionState>;

interface Question {
  readonly promise: Promise<boolean>;
  readonly settle: (given: boolean) => void;
}

export function createSession(): Session {
  const open = new Map<KeyKind, Question>();

  return createStore<SessionState>()((set, get) => {
    const showNext = () => {
      const next = open.keys().next().value ?? null;
      set({ keyAsked: next, keyRefused: next !== null && keyOf(get(), next) !== null });
    };

    return {
      apiKey: null,
      adminKey: null,
      streamTokens: noEntries(),
      participantLinks: noEntries(),
      keyAsked: null,
      keyRefused: false,
      setStreamToken: (demandId, token) =>
        set(({ streamTokens }) => ({ streamTokens: withEntry(streamTokens, demandId, token) })),
      setParticipantLinks: (demandId, links) =>
        set(({ participantLinks }) => ({ participantLinks: withEntry(participantLinks, demandId, links) })),
      ask: (kind) => {
        const known = open.get(kind);
        if (known) return known.promise;
        const question = newQuestion();
        open.set(kind, question);
        if (get().keyAsked === null) showNext();
        return question.promise;
      },
      answer: (key) => {
        const kind = get().keyAsked;
        if (kind === null) return;
        const written = key?.trim() ?? "";
        const given = isSendable(written) ? written : null;
        if (given !== null) set(kind === "api" ? { apiKey: given } : { adminKey: given });
        const question = open.get(kind);
        open.delete(kind);
        showNext();
        question?.settle(given !== null);
      },
      dismiss: () => {
        while (get().keyAsked !== null) get().answer(null);
      },
    };
  });
}

const SENDABLE = /^[\x21-\x7e]+$/;

/** Whether a header can carry it: visible ASCII only. A browser sends no request at all with another key. */
export function isSendable(secret: string): boolean {
  return SENDABLE.test(secret);
}

/** The key of one kind that is known now. */
export function keyOf(state: Pick<SessionState, "apiKey" | "adminKey">, kind: KeyKind): string | null {
  const key = kind === "api" ? state.apiKey : state.adminKey;
  return key !== null && isSendable(key) ? key : null;
}

function newQuestion(): Question {
  let settle: (given: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

/** The session of this page. */
export const session: Session = createSession();
