import { useStore } from "zustand";
import { LANGUAGE_NAMES, useLang, useTexts } from "../i18n";
import { Button, Icon, type IconName } from "../ui";
import styles from "./Header.module.css";
import { nextTheme, preferences, switchBig, type Theme } from "./preferences";

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { auto: "contrast", light: "sun", dark: "moon" };

interface Props {
  readonly showKeys: () => void;
  /** Language and colours only. */
  readonly few?: boolean;
}

/** Language, colours, size, keys. */
export function DisplaySwitches({ showKeys, few = false }: Props) {
  const { shell } = useTexts();
  const { lang, setLang } = useLang();
  const { theme, big } = useStore(preferences);
  const other = lang === "zh" ? "en" : "zh";
  const themeName = shell.theme(shell.themes[theme]);
  return (
    <fieldset className={styles.switches}>
      <legend className="visually-hidden">{shell.settings}</legend>
      <Button variant="ghost" size="s" data-testid="lang-switch" lang={other} onClick={() => setLang(other)}>
        <Icon name="globe" />
        {LANGUAGE_NAMES[other]}
      </Button>
      <Button
        variant="ghost"
        size="s"
        data-testid="theme-switch"
        data-theme-choice={theme}
        aria-label={themeName}
        title={themeName}
        onClick={nextTheme}
      >
        <Icon name={THEME_ICONS[theme]} />
      </Button>
      {!few && (
        <>
          <Button
            variant="ghost"
            size="s"
            data-testid="big-screen"
            aria-label={shell.bigScreen}
            aria-pressed={big}
            title={shell.bigScreen}
            onClick={switchBig}
          >
            <Icon name="screen" />
          </Button>
          <Button
            variant="ghost"
            size="s"
            className={styles.keys}
            aria-label={shell.keys}
            title={`${shell.keys} (?)`}
            onClick={showKeys}
          >
            <Icon name="keyboard" />
          </Button>
        </>
      )}
    </fieldset>
  );
}
