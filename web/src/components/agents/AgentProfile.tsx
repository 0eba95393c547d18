import type { ReactNode } from "react";
import type { AgentView } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { clock, day, listed } from "../../i18n/formats";
import { Badge } from "../../ui/Badge";
import { CodeBlock } from "../../ui/CodeBlock";
import styles from "./Agents.module.css";
import { weekdayNames } from "./conditionWords";
import { OfferTable } from "./OfferTable";

const SHOWN = new Set(["offers", "calendar", "languages", "max_roles"]);

/** Everything that an agent says of itself; its reservation prices never leave the node. */
export function AgentProfile({ agent }: { readonly agent: AgentView }) {
  const { agents: t } = useTexts();
  const { lang } = useLang();
  const { capabilities } = agent;
  const { calendar } = capabilities;
  const more = Object.fromEntries(Object.entries(capabilities).filter(([key]) => !SHOWN.has(key)));
  const updated = `${day(agent.updated_at, lang)} ${clock(agent.updated_at, lang)}`;
  return (
    <>
      <p className={styles.summary} dir="auto">
        {agent.profile_summary}
      </p>
      <dl className={styles.facts}>
        <Fact name={t.id}>
          <code>{agent.agent_id}</code>
        </Fact>
        <Fact name={t.city}>
          <bdi>{agent.location}</bdi>
        </Fact>
        <Fact name={t.origin}>{t.origins[agent.origin]}</Fact>
        <Fact name={t.tags}>
          <Tags tags={agent.tags} />
        </Fact>
        <Fact name={t.interests}>
          <Tags tags={agent.interests} />
        </Fact>
        <Fact name={t.languages}>{listed(capabilities.languages, lang) || "–"}</Fact>
        <Fact name={t.maxRoles}>{capabilities.max_roles}</Fact>
        <Fact name={t.availability}>
          <bdi>{agent.availability || "–"}</bdi>
        </Fact>
        <Fact name={t.weekdays}>{weekdayNames(calendar.weekdays, t, lang) || t.none}</Fact>
        <Fact name={t.leadDays}>{t.leadDaysOf(calendar.lead_days)}</Fact>
        <Fact name={t.blackout}>{listed(calendar.blackout, lang) || t.none}</Fact>
      </dl>
      <h3>{t.offers}</h3>
      {capabilities.offers.length > 0 ? <OfferTable offers={capabilities.offers} /> : <p>{t.noOffers}</p>}
      {Object.keys(more).length > 0 && (
        <>
          <h3>{t.moreFields}</h3>
          <CodeBlock value={more} label={t.moreFields} />
        </>
      )}
      <p className={styles.muted}>{t.updated(updated, agent.revision)}</p>
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Tags({ tags }: { readonly tags: readonly string[] }) {
  if (tags.length === 0) return "–";
  return (
    <span className={styles.tags}>
      {tags.map((tag) => (
        <Badge key={tag}>{tag}</Badge>
      ))}
    </span>
  );
}
