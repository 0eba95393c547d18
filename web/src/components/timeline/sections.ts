/** The lines of the list: a heading before the rows of each phase. */

import type { TimelinePhase } from "./phases";
import type { EventRow } from "./rows";

export interface Heading {
  readonly kind: "heading";
  readonly key: string;
  readonly phase: TimelinePhase;
  readonly count: number;
}
export interface RowLine {
  readonly kind: "row";
  readonly key: string;
  readonly phase: TimelinePhase;
  readonly row: EventRow;
}
export type Line = Heading | RowLine;

export interface PlacedRow {
  readonly row: EventRow;
  readonly phase: TimelinePhase;
  /** Counted from the first event of the run, whether or not it is still in memory. */
  readonly position: number;
}

/** A phase that comes again gets a heading again. */
export function linesOf(rows: readonly PlacedRow[]): readonly Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < rows.length; ) {
    const first = rows[at];
    if (!first) break;
    let end = at;
    while (rows[end]?.phase === first.phase) end += 1;
    const key = `phase-${first.row.event.event_id}`;
    lines.push({ kind: "heading", key, phase: first.phase, count: end - at });
    for (const { row, phase } of rows.slice(at, end)) {
      lines.push({ kind: "row", key: row.event.event_id, phase, row });
    }
    at = end;
  }
  return lines;
}
