import { hrefTo, type Route } from "../hooks/useHashRoute";
import { useTexts } from "../i18n";
import { DisplaySwitches } from "./DisplaySwitches";
import { ForgetKeys } from "./ForgetKeys";
import styles from "./Header.module.css";

const LINKS = [
  { page: "form" },
  { page: "list" },
  { page: "agents" },
  { page: "replay", demandId: null },
] as const satisfies readonly Route[];

interface Props {
  readonly route: Route;
  readonly showKeys: () => void;
}

/** Who was asked to take part has a page of their own: the requester's pages are none of their business. */
export function Header({ route, showKeys }: Props) {
  const guest = route.page === "join";
  return (
    <header className={styles.header}>
      <div className={styles.inside}>
        {guest ? (
          <span className={styles.name}>
            <Name />
          </span>
        ) : (
          <>
            <a className={styles.name} href={hrefTo({ page: "form" })}>
              <Name />
            </a>
            <Pages route={route} />
            <ForgetKeys />
          </>
        )}
        <DisplaySwitches showKeys={showKeys} few={guest} />
      </div>
    </header>
  );
}

function Name() {
  const { shell } = useTexts();
  return (
    <>
      <svg viewBox="0 0 32 32" aria-hidden="true" className={styles.mark}>
        <path d="M6 14 16 7l10 7v2H6zM8 18h3v6H8zm6.5 0h3v6h-3zM21 18h3v6h-3z" />
      </svg>
      {shell.name}
    </>
  );
}

function Pages({ route }: { readonly route: Route }) {
  const { shell } = useTexts();
  return (
    <nav aria-label={shell.nav} className={styles.nav}>
      {LINKS.map((link) => (
        <a
          key={link.page}
          href={hrefTo(link)}
          data-testid={`nav-${link.page}`}
          aria-current={route.page === link.page ? "page" : undefined}
        >
          {shell.pages[link.page]}
        </a>
      ))}
    </nav>
  );
}
