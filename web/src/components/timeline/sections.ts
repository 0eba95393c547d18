/** The lines of the list: a heading before the rows of each phase. */

import type { TimelinePhase } from "../../state/timelinePhases";
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

/** A phase that comes again gets a heading again; it keeps its key while its first rows leave. */
export function linesOf(rows: readonly PlacedRow[]): readonly Line[] {
  const lines: Line[] = [];
  const times = new Map<TimelinePhase, number>();
  for (let at = 0; at < rows.length; ) {
    const first = rows[at];
    if (!first) break;
    let end = at;
    while (rows[end]?.phase === first.phase) end += 1;
    const time = (times.get(first.phase) ?? 0) + 1;
    times.set(first.phase, time);
    const key = `phase-${first.phase}-${time}`;
    lines.push({ kind: "heading", key, phase: first.phase, count: end - at });
    for (const { row, phase } of rows.slice(at, end)) {
      lines.push({ kind: "row", key: row.event.event_id, phase, row });
    }
    at = end;
  }
  return lines;
}
