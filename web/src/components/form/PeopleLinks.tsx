import { useStore } from "zustand";
import { useLang, useTexts } from "../../i18n";
import { clock } from "../../i18n/formats";
import { session } from "../../state/session";
import { Card, CopyButton } from "../../ui";
import { isLoopback } from "./loopback";
import styles from "./PeopleLinks.module.css";

export interface PeopleLinksProps {
  readonly demandId: string;
  /** When the present question ends, where the node has told. */
  readonly until?: string | null;
  readonly over?: boolean;
  /** Where the links lead. */
  readonly hostname?: string;
}

/** The links of the people who take part in a demand; only the tab that submitted it has them. */
export function PeopleLinks({
  demandId,
  until = null,
  over = false,
  hostname = window.location.hostname,
}: PeopleLinksProps) {
  const { links: texts } = useTexts().form;
  const { lang } = useLang();
  const links = useStore(session, (state) => state.participantLinks[demandId]);
  if (!links || links.length === 0) return null;
  const all = links.map(({ name, url }) => `${name} ${url}`).join("\n");
  return (
    <Card
      title={texts.title}
      tone="info"
      data-testid="people-links"
      aside={links.length > 1 && <CopyButton text={all} what={texts.all} data-testid="copy-all" />}
    >
      <p>{texts.hint}</p>
      {!over && <p data-testid="links-time">{until ? texts.until(clock(until, lang)) : texts.minutes}</p>}
      {isLoopback(hostname) && (
        <p className={styles.warning} data-testid="links-loopback">
          {texts.loopback(hostname)}
        </p>
      )}
      <ul className={styles.links}>
        {links.map(({ name, url }) => (
          <li key={url}>
            <strong>{name}</strong>
            <input
              readOnly
              aria-label={texts.link(name)}
              value={url}
              onFocus={(event) => event.target.select()}
            />
            <CopyButton text={url} what={texts.link(name)} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
