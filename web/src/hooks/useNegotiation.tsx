/** The negotiation that a part of the page is about. */

import { createContext, type ReactNode, useContext } from "react";
import { useStore } from "zustand";
import type { Connection } from "../state/connection";
import type { NegotiationState } from "../state/model";
import type { NegotiationStore } from "../state/store";

const Current = createContext<NegotiationStore | null>(null);

interface Props {
  readonly store: NegotiationStore;
  readonly children: ReactNode;
}

export function NegotiationProvider({ store, children }: Props) {
  return <Current value={store}>{children}</Current>;
}

export function useNegotiationStore(): NegotiationStore {
  const store = useContext(Current);
  if (store === null) throw new Error("useNegotiation is for components inside a NegotiationProvider");
  return store;
}

/** What is selected must be part of the state: a selector that makes a new object each time renders for ever. */
export function useNegotiation<T>(selector: (state: NegotiationState) => T): T {
  return useStore(useNegotiationStore(), (slice) => selector(slice.negotiation));
}

export function useConnection(): Connection {
  return useStore(useNegotiationStore(), (slice) => slice.connection);
}
