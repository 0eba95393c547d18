/** The rows of the timeline, what of them the filter lets through, and the choices that the filter has. */

import { useEffect, useMemo, useState } from "react";
import type { LogEvent } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { phasesOf, type TimelinePhase } from "../../state/timelinePhases";
import { announce } from "../../ui/announce";
import type { EventGroup } from "./kinds";
import { type EventFilter, type EventRow, isFiltering, matcher, NO_FILTER, rowOf } from "./rows";
import { type Line, linesOf, type PlacedRow } from "./sections";

const SAY_AFTER_MS = 600;

export interface Timeline {
  readonly filter: EventFilter;
  readonly setFilter: (filter: EventFilter) => void;
  readonly lines: readonly Line[];
  readonly shown: readonly PlacedRow[];
  readonly agents: ReadonlyMap<string, string>;
  readonly groups: ReadonlyMap<EventGroup, number>;
}

function placed(
  events: readonly LogEvent[],
  toRow: (event: LogEvent) => EventRow,
  { dropped, droppedPhase }: Dropped,
): readonly PlacedRow[] {
  const phases = phasesOf(events, droppedPhase);
  return events.map((event, index) => {
    const phase: TimelinePhase = phases[index] ?? "other";
    return { row: toRow(event), phase, position: dropped + index };
  });
}

function choices(rows: readonly PlacedRow[]): Pick<Timeline, "agents" | "groups"> {
  const agents = new Map<string, string>();
  const groups = new Map<EventGroup, number>();
  for (const { row } of rows) {
    if (row.agentId) agents.set(row.agentId, row.agentName);
    groups.set(row.group, (groups.get(row.group) ?? 0) + 1);
  }
  return { agents, groups };
}

/** What is known of the events that have left memory. */
export interface Dropped {
  readonly dropped: number;
  /** The phase in which the last of them stood. */
  readonly droppedPhase: TimelinePhase;
}

export function useTimeline(events: readonly LogEvent[], { dropped, droppedPhase }: Dropped): Timeline {
  const texts = useTexts();
  const { lang } = useLang();
  const [filter, setFilter] = useState(NO_FILTER);
  const rows = useMemo(
    () => placed(events, (event) => rowOf(event, texts, lang), { dropped, droppedPhase }),
    [events, texts, lang, dropped, droppedPhase],
  );
  const shown = useMemo(() => {
    const matches = matcher(filter);
    return isFiltering(filter) ? rows.filter(({ row }) => matches(row)) : rows;
  }, [rows, filter]);
  const lines = useMemo(() => linesOf(shown), [shown]);
  const { agents, groups } = useMemo(() => choices(rows), [rows]);

  // Only a change of the filter is said aloud, not every event that comes.
  // biome-ignore lint/correctness/useExhaustiveDependencies: see above
  useEffect(() => {
    if (!isFiltering(filter)) return;
    const timer = setTimeout(() => announce(texts.timeline.shown(shown.length, rows.length)), SAY_AFTER_MS);
    return () => clearTimeout(timer);
  }, [filter]);

  return { filter, setFilter, lines, shown, agents, groups };
}
