import { Fragment, memo } from "react";
import { useTexts } from "../../i18n";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { CodeBlock } from "../../ui/CodeBlock";
import { classes } from "../../ui/classes";
import { Icon } from "../../ui/Icon";
import { keyedTexts } from "../plan/keyed";
import { candidateOnPage, showCandidate } from "./candidateLink";
import styles from "./EventRow.module.css";
import type { EventRow as Row } from "./rows";

export interface EventRowProps {
  readonly row: Row;
  readonly open: boolean;
  /** Whether the tab key stops here; arrows reach the other rows. */
  readonly stop: boolean;
  readonly onToggle: (eventId: string) => void;
}

export const EventRow = memo(function EventRow({ row, open, stop, onToggle }: EventRowProps) {
  const { timeline: t } = useTexts();
  const { event } = row;
  return (
    <article className={styles.row} data-testid={`event-${event.event_id}`} data-type={event.event_type}>
      <button
        type="button"
        className={styles.head}
        data-event-row={event.event_id}
        aria-expanded={open}
        tabIndex={stop ? 0 : -1}
        onClick={() => onToggle(event.event_id)}
      >
        <span className={classes(styles.icon, styles[row.tone])}>
          <Icon name={row.icon} />
        </span>
        <span className={styles.words}>
          <span className={styles.title}>
            {row.title} {row.failed && <Badge tone="bad">{t.failed}</Badge>}
            {row.degraded && <Badge tone="warn">{t.degraded}</Badge>}
          </span>
          <Details details={row.details} />
        </span>
        <time className={styles.time} dateTime={event.timestamp} title={event.timestamp}>
          {row.time}
        </time>
      </button>
      {open && <Opened row={row} />}
    </article>
  );
});

/** Each part stands for itself, in whatever direction it is written. */
function Details({ details }: { readonly details: readonly string[] }) {
  return (
    <span className={styles.detail}>
      {keyedTexts(details).map(([key, part], index) => (
        <Fragment key={key}>
          {index > 0 && " · "}
          <bdi>{part}</bdi>
        </Fragment>
      ))}
    </span>
  );
}

function Opened({ row }: { readonly row: Row }) {
  const { timeline: t } = useTexts();
  const candidate = row.agentId && candidateOnPage(row.agentId);
  return (
    <div className={styles.opened} data-testid="event-raw">
      {candidate && (
        <Button size="s" onClick={() => showCandidate(row.agentId)}>
          <Icon name="person" /> {t.toCandidate}
        </Button>
      )}
      <CodeBlock value={row.event} label={t.rawOf(row.event.event_id)} />
    </div>
  );
}
