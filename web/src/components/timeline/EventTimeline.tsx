import { type ReactNode, useCallback, useRef, useState } from "react";
import type { LogEvent } from "../../api/types";
import { useTexts } from "../../i18n";
import type { TimelinePhase } from "../../state/timelinePhases";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { VirtualList, type VirtualListHandle } from "../../ui/VirtualList";
import { EventFilterBar } from "./EventFilterBar";
import { EventRow } from "./EventRow";
import styles from "./EventTimeline.module.css";
import { moveFocus } from "./moveFocus";
import { PhaseHeading } from "./PhaseHeading";
import { NO_FILTER } from "./rows";
import type { Line } from "./sections";
import { useNews } from "./useNews";
import { useTimeline } from "./useTimeline";

const ROW_PX = 58;

export interface EventTimelineProps {
  readonly events: readonly LogEvent[];
  /** How many older events have left memory. */
  readonly dropped: number;
  /** The phase in which the last of those stood. */
  readonly droppedPhase?: TimelinePhase;
  /** Where all events can be had: from the node, or in the file that was opened. */
  readonly source?: "node" | "file";
  /** The button that gets them. */
  readonly download?: ReactNode;
  /** Only the list, inside a section of level 3: no filters. */
  readonly compact?: boolean;
}

const keyOf = (line: Line): string => line.key;
const isHeading = (line: Line): boolean => line.kind === "heading";

export function EventTimeline({
  events,
  dropped,
  droppedPhase = "other",
  source = "node",
  download,
  compact = false,
}: EventTimelineProps) {
  const { timeline: t } = useTexts();
  const timeline = useTimeline(events, { dropped, droppedPhase });
  const { filter, setFilter, lines, shown } = timeline;
  const news = useNews(shown, dropped + events.length);
  const list = useRef<VirtualListHandle>(null);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [current, setCurrent] = useState<string | null>(null);

  const toggle = useCallback((eventId: string) => {
    setCurrent(eventId);
    setOpened((before) => {
      const next = new Set(before);
      if (!next.delete(eventId)) next.add(eventId);
      return next;
    });
  }, []);

  const stop = shown.some(({ row }) => row.event.event_id === current)
    ? current
    : shown.at(-1)?.row.event.event_id;
  const render = (line: Line) =>
    line.kind === "heading" ? (
      <PhaseHeading level={compact ? 5 : 3} phase={line.phase} count={line.count} />
    ) : (
      <EventRow row={line.row} open={opened.has(line.key)} stop={line.key === stop} onToggle={toggle} />
    );

  return (
    <Card
      title={t.title}
      level={compact ? 4 : 2}
      aside={
        <>
          <span className={styles.count}>{t.shown(shown.length, events.length)}</span>
          {download}
        </>
      }
      data-testid="event-timeline"
    >
      {!compact && events.length > 0 && (
        <EventFilterBar
          filter={filter}
          onChange={setFilter}
          agents={timeline.agents}
          groups={timeline.groups}
        />
      )}
      {dropped > 0 && <p className={styles.note}>{t.dropped[source](dropped)}</p>}
      {lines.length > 0 ? (
        // biome-ignore lint/a11y/noStaticElementInteractions: arrow keys move between the buttons inside
        <div className={styles.list} onKeyDown={(event) => moveFocus(event, setCurrent)}>
          <VirtualList
            items={lines}
            rowKey={keyOf}
            estimate={ROW_PX}
            label={t.list}
            render={render}
            sticky={isHeading}
            onAtEnd={news.onAtEnd}
            handle={list}
          />
          {news.unseen > 0 && (
            <Button
              size="s"
              variant="primary"
              className={styles.news}
              data-testid="timeline-news"
              onClick={() => list.current?.toEnd()}
            >
              {t.newEvents(news.unseen)}
            </Button>
          )}
        </div>
      ) : (
        <Nothing filtered={events.length > 0} onClear={() => setFilter(NO_FILTER)} />
      )}
    </Card>
  );
}

function Nothing({ filtered, onClear }: { readonly filtered: boolean; readonly onClear: () => void }) {
  const { timeline: t } = useTexts();
  if (!filtered) return <Empty title={t.empty}>{t.emptyHint}</Empty>;
  return <Empty title={t.nothingFound} action={<Button onClick={onClear}>{t.clearFilter}</Button>} />;
}
