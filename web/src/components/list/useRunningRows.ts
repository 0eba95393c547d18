/** Keeps the rows of what still runs up to date while somebody looks; the others do not change any more. */

import { useEffect } from "react";
import { client } from "../../api/client";
import type { DemandSummary } from "../../api/types";
import { pageAfter } from "./paging";

const REFRESH_MS = 5000;
const LONGEST_MS = 60_000;

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
    pageAfter((cursor, until) => client.demands(cursor, status, until, true), null, signal, holdsAll(wanted));
  const running = (await list("processing", ids)).demands;
  const known = new Set(running.map((row) => row.demand_id));
  const ended = ids.filter((id) => !known.has(id));
  return ended.length === 0 ? running : [...running, ...(await list(null, ended)).demands];
}

/** Whether the rows could be read. */
async function refreshed(
  ids: readonly string[],
  signal: AbortSignal,
  update: (rows: readonly DemandSummary[]) => void,
): Promise<boolean> {
  try {
    const now = await rowsNow(ids, signal);
    if (!signal.aborted) update(now);
    return true;
  } catch {
    return false;
  }
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
    let timer = setTimeout(() => void refresh(REFRESH_MS), REFRESH_MS);
    // The next turn begins once this one is through; what cannot be read is asked for again, ever more seldom.
    const refresh = async (waited: number) => {
      const read = document.hidden || (await refreshed(key.split(" "), abort.signal, update));
      if (abort.signal.aborted) return;
      const wait = read ? REFRESH_MS : Math.min(waited * 2, LONGEST_MS);
      timer = setTimeout(() => void refresh(wait), wait);
    };
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key, update]);
}
