/** Keys and tokens of this page: in memory only, gone with the tab. */

import { createStore, type StoreApi } from "zustand/vanilla";

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
  /** The person's answer to `keyAsked`; null closes the question. */
  answer(key: string | null): void;
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
      streamTokens: {},
      participantLinks: {},
      keyAsked: null,
      keyRefused: false,
      setStreamToken: (demandId, token) =>
        set(({ streamTokens }) => ({ streamTokens: { ...streamTokens, [demandId]: token } })),
      setParticipantLinks: (demandId, links) =>
        set(({ participantLinks }) => ({ participantLinks: { ...participantLinks, [demandId]: links } })),
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
        const given = key?.trim() || null;
        if (given !== null) set(kind === "api" ? { apiKey: given } : { adminKey: given });
        const question = open.get(kind);
        open.delete(kind);
        showNext();
        question?.settle(given !== null);
      },
    };
  });
}

/** The key of one kind that is known now. */
export function keyOf(state: Pick<SessionState, "apiKey" | "adminKey">, kind: KeyKind): string | null {
  return kind === "api" ? state.apiKey : state.adminKey;
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
