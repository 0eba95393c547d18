/** What the page shows of one negotiation, and how it is connected to it. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { LogEvent } from "../api/types";
import { apply, fold } from "./apply";
import { CONNECTING, type Connection } from "./connection";
import { type NegotiationState, NOTHING } from "./model";

export interface NegotiationSlice {
  readonly negotiation: NegotiationState;
  readonly connection: Connection;
  /** Many at once are one notification. */
  receive(news: LogEvent | readonly LogEvent[]): void;
  connected(connection: Connection): void;
  /** Back to an empty page; the connection stays. */
  reset(): void;
}

export type NegotiationStore = StoreApi<NegotiationSlice>;

export function createNegotiationStore(): NegotiationStore {
  return createStore<NegotiationSlice>()((set, get) => ({
    negotiation: NOTHING,
    connection: CONNECTING,
    receive: (news) => {
      const before = get().negotiation;
      const negotiation = isMany(news) ? fold(news, before) : apply(before, news);
      if (negotiation !== before) set({ negotiation });
    },
    connected: (connection) => {
      if (connection !== get().connection) set({ connection });
    },
    reset: () => set({ negotiation: NOTHING }),
  }));
}

function isMany(news: LogEvent | readonly LogEvent[]): news is readonly LogEvent[] {
  return Array.isArray(news);
}
