/** Reads a list that is given out in pages: one may hold fewer rows than asked for, even none, although more follow. */

import type { DemandPage, DemandSummary } from "../../api/types";

export type Load = (cursor: string | null, signal: AbortSignal) => Promise<DemandPage>;

const PAGE_ROWS = 20;
const MOST_REQUESTS = 10;

/** Rows after the cursor, until there are enough (a screen's worth, without another test) or there are no more. */
export async function pageAfter(
  load: Load,
  cursor: string | null,
  signal: AbortSignal,
  enough = (rows: readonly DemandSummary[]) => rows.length >= PAGE_ROWS,
): Promise<DemandPage> {
  const demands: DemandSummary[] = [];
  let next = cursor;
  for (let request = 0; request < MOST_REQUESTS; request += 1) {
    const reply = await load(next, signal);
    demands.push(...reply.demands);
    next = reply.next_cursor ?? null;
    if (next === null || enough(demands)) break;
  }
  return { demands, next_cursor: next };
}
