/** The demands of a list: page after page, and again while some of them run. */

import { useCallback, useEffect, useRef, useState } from "react";
import { client } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import type { DemandSummary } from "../../api/types";
import { type Load, pageAfter } from "./paging";
import { useRunningRows } from "./useRunningRows";

export type DemandStatus = DemandSummary["status"];

export interface Demands {
  readonly rows: readonly DemandSummary[];
  readonly more: boolean;
  readonly loading: boolean;
  readonly problem: Problem | null;
  readonly loadMore: () => void;
  readonly reload: () => void;
  readonly remove: (demandId: string) => void;
}

interface Held {
  readonly rows: readonly DemandSummary[];
  readonly cursor: string | null;
  readonly loading: boolean;
  readonly problem: Problem | null;
}

const NOTHING_YET: Held = { rows: [], cursor: null, loading: true, problem: null };

function appended(rows: readonly DemandSummary[], more: readonly DemandSummary[]): readonly DemandSummary[] {
  const known = new Set(rows.map((row) => row.demand_id));
  return [...rows, ...more.filter((row) => !known.has(row.demand_id))];
}

export function useDemands(status: DemandStatus | null): Demands {
  const [held, setHeld] = useState(NOTHING_YET);
  const [asked, setAsked] = useState(0);
  const abort = useRef(new AbortController());

  const read = useCallback(
    async (cursor: string | null) => {
      const { signal } = abort.current;
      setHeld((before) => ({ ...before, loading: true, problem: null }));
      const load: Load = (next, until) => client.demands(next, status, until);
      try {
        const page = await pageAfter(load, cursor, signal);
        if (signal.aborted) return;
        setHeld(({ rows }) => ({
          rows: appended(cursor === null ? [] : rows, page.demands),
          cursor: page.next_cursor ?? null,
          loading: false,
          problem: null,
        }));
      } catch (thrown) {
        if (!signal.aborted) setHeld((before) => ({ ...before, loading: false, problem: asProblem(thrown) }));
      }
    },
    [status],
  );

  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` counts the reloads
  useEffect(() => {
    abort.current = new AbortController();
    setHeld(NOTHING_YET);
    void read(null);
    return () => abort.current.abort();
  }, [read, asked]);

  const update = useCallback((changed: readonly DemandSummary[]) => {
    const news = new Map(changed.map((row) => [row.demand_id, row]));
    setHeld((before) => ({ ...before, rows: before.rows.map((row) => news.get(row.demand_id) ?? row) }));
  }, []);
  useRunningRows(held.rows, update);

  const remove = useCallback((demandId: string) => {
    setHeld((before) => ({ ...before, rows: before.rows.filter((row) => row.demand_id !== demandId) }));
  }, []);
  const loadMore = useCallback(() => void read(held.cursor), [read, held.cursor]);
  const reload = useCallback(() => setAsked((before) => before + 1), []);
  const { rows, cursor, loading, problem } = held;
  return { rows, more: cursor !== null, loading, problem, loadMore, reload, remove };
}
