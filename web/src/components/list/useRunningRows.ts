/** Keeps the rows of what still runs up to date while somebody looks; the others do not change any more. */

import { useEffect } from "react";
import { client } from "../../api/client";
import type { DemandSummary } from "../../api/types";
import { pageAfter } from "./paging";

const REFRESH_MS = 5000;

function holdsAll(ids: readonly string[]) {
  return (rows: readonly DemandSummary[]) => {
    const known = new Set(rows.map((row) => row.demand_id));
    return ids.every((id) => known.has(id));
  };
}

/** The rows of these demands as they are now: first among the running, what has ended among all. */
export async function rowsNow(
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly DemandSummary[]> {
  const list = (status: string | null, wanted: readonly string[]) =>
    pageAfter((cursor, until) => client.demands(cursor, status, until), null, signal, holdsAll(wanted));
  const running = (await list("processing", ids)).demands;
  const known = new Set(running.map((row) => row.demand_id));
  const ended = ids.filter((id) => !known.has(id));
  return ended.length === 0 ? running : [...running, ...(await list(null, ended)).demands];
}

export function useRunningRows(
  rows: readonly DemandSummary[],
  update: (rows: readonly DemandSummary[]) => void,
): void {
  const ids = rows.filter((row) => row.status === "processing").map((row) => row.demand_id);
  const key = ids.join(" ");
  useEffect(() => {
    if (key === "") return;
    const abort = new AbortController();
    const refresh = () => {
      if (document.hidden) return;
      // What cannot be read now is asked for again in the next turn.
      rowsNow(key.split(" "), abort.signal).then(
        (now) => abort.signal.aborted || update(now),
        () => undefined,
      );
    };
    const timer = setInterval(refresh, REFRESH_MS);
    return () => {
      clearInterval(timer);
      abort.abort();
    };
  }, [key, update]);
}
