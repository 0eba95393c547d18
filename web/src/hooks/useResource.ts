/** Something that the node is asked for once, and again on request; an answer that came too late is dropped. */

import { useCallback, useEffect, useState } from "react";
import { asProblem, type Problem } from "../api/problem";

export interface Resource<T> {
  readonly data: T | null;
  readonly problem: Problem | null;
  readonly loading: boolean;
  readonly reload: () => void;
}

interface Held<T> {
  readonly data: T | null;
  readonly problem: Problem | null;
  readonly loading: boolean;
}

/**
 * `reload`, and another `stage`, keep what is shown until the new answer is there; other `deps` begin with nothing.
 * What changes at once is asked for once.
 */
export function useResource<T>(
  load: (signal: AbortSignal) => Promise<T>,
  deps: readonly unknown[],
  stage = "",
): Resource<T> {
  const [held, setHeld] = useState<Held<T>>({ data: null, problem: null, loading: true });
  const [asked, setAsked] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what the loader depends on is told by its caller
  useEffect(() => setHeld({ data: null, problem: null, loading: true }), deps);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the same; `asked` counts the reloads
  useEffect(() => {
    const abort = new AbortController();
    const settle = (change: Partial<Held<T>>) => {
      if (!abort.signal.aborted) setHeld((before) => ({ ...before, loading: false, ...change }));
    };
    setHeld((before) => ({ ...before, loading: true }));
    load(abort.signal).then(
      (data) => settle({ data, problem: null }),
      (thrown: unknown) => settle({ problem: asProblem(thrown) }),
    );
    return () => abort.abort();
  }, [...deps, stage, asked]);

  const reload = useCallback(() => setAsked((before) => before + 1), []);
  return { ...held, reload };
}
