/** Follows a demand for as long as a component is shown. */

import { useCallback, useEffect, useRef, useState } from "react";
import { client } from "../api/client";
import type { Problem } from "../api/problem";
import { session } from "../state/session";
import type { NegotiationStore } from "../state/store";
import { follow, type Stream } from "../state/stream";

export interface Followed {
  readonly reconnect: () => void;
  /** Why there is nothing to follow, where the node says so: no such demand, or no key for it. */
  readonly problem: Problem | null;
}

export function useSSE(demandId: string, store: NegotiationStore): Followed {
  const stream = useRef<Stream | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);

  useEffect(() => {
    const opened = follow({ demandId, store, client, session, onProblem: setProblem });
    stream.current = opened;
    return () => opened.close();
  }, [demandId, store]);

  const reconnect = useCallback(() => stream.current?.reconnect(), []);
  return { reconnect, problem };
}
