import { useId } from "react";
import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import styles from "./EventFilterBar.module.css";
import { type EventGroup, GROUPS } from "./kinds";
import type { EventFilter } from "./rows";

export interface EventFilterBarProps {
  readonly filter: EventFilter;
  readonly onChange: (filter: EventFilter) => void;
  /** Who occurs in the events: id and name. */
  readonly agents: ReadonlyMap<string, string>;
  /** How many events of each group there are; a group without events has no button. */
  readonly groups: ReadonlyMap<EventGroup, number>;
}

function toggled(groups: ReadonlySet<EventGroup>, group: EventGroup): ReadonlySet<EventGroup> {
  const next = new Set(groups);
  if (!next.delete(group)) next.add(group);
  return next;
}

export function EventFilterBar({ filter, onChange, agents, groups }: EventFilterBarProps) {
  const { timeline: t } = useTexts();
  const failedId = useId();
  return (
    <fieldset className={styles.bar} aria-label={t.filters}>
      <div className={styles.groups}>
        {GROUPS.filter((group) => groups.has(group) || filter.groups.has(group)).map((group) => (
          <Button
            key={group}
            size="s"
            data-testid={`timeline-filter-${group}`}
            aria-pressed={filter.groups.has(group)}
            onClick={() => onChange({ ...filter, groups: toggled(filter.groups, group) })}
          >
            {t.groups[group]} <span className={styles.number}>{groups.get(group) ?? 0}</span>
          </Button>
        ))}
      </div>
      <Field label={t.search} className={styles.search ?? ""}>
        <input
          type="search"
          data-testid="timeline-search"
          placeholder={t.searchHint}
          value={filter.text}
          onChange={(event) => onChange({ ...filter, text: event.target.value })}
        />
      </Field>
      <Field label={t.agent} className={styles.agent ?? ""}>
        <select
          data-testid="timeline-agent"
          value={filter.agentId}
          onChange={(event) => onChange({ ...filter, agentId: event.target.value })}
        >
          <option value="">{t.everybody}</option>
          {[...agents].map(([id, name]) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </Field>
      <label className={styles.failed} htmlFor={failedId}>
        <input
          id={failedId}
          type="checkbox"
          data-testid="timeline-failed"
          checked={filter.failedOnly}
          onChange={(event) => onChange({ ...filter, failedOnly: event.target.checked })}
        />
        {t.failedOnly}
      </label>
    </fieldset>
  );
}
