import { useStore } from "zustand";
import { useTexts } from "../../i18n";
import { session } from "../../state/session";
import { Card, CopyButton } from "../../ui";
import styles from "./PeopleLinks.module.css";

/** The links of the people who take part in a demand; only the tab that submitted it has them. */
export function PeopleLinks({ demandId }: { readonly demandId: string }) {
  const { links: texts } = useTexts().form;
  const links = useStore(session, (state) => state.participantLinks[demandId]);
  if (!links || links.length === 0) return null;
  return (
    <Card title={texts.title} tone="info" data-testid="people-links">
      <p>{texts.hint}</p>
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
