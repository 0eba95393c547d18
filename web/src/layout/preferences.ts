import { createStore } from "zustand/vanilla";
import { language } from "../i18n";

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

interface Preferences {
  readonly theme: Theme;
  readonly big: boolean;
}

const KEY = "moothall.display";

/** How the page looks; remembered in the browser. */
export const preferences = createStore<Preferences>(() => read());

/** Put language, theme and size on the document, now and with every change. */
export function keepDocument(root: HTMLElement = document.documentElement): void {
  const show = ({ theme, big }: Preferences) => {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
    if (big) root.dataset.big = "true";
    else delete root.dataset.big;
  };
  const speak = ({ lang }: { readonly lang: string }) => {
    root.lang = lang;
  };
  show(preferences.getState());
  speak(language.getState());
  preferences.subscribe((now) => {
    show(now);
    write(now);
  });
  language.subscribe(speak);
}

export function nextTheme(): void {
  preferences.setState(({ theme }) => ({
    theme: THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto",
  }));
}

export function switchBig(): void {
  preferences.setState(({ big }) => ({ big: !big }));
}

function read(): Preferences {
  try {
    const [theme, big] = (localStorage.getItem(KEY) ?? "").split(" ");
    return { theme: THEMES.find((one) => one === theme) ?? "auto", big: big === "big" };
  } catch {
    return { theme: "auto", big: false };
  }
}

function write({ theme, big }: Preferences): void {
  try {
    localStorage.setItem(KEY, `${theme} ${big ? "big" : "normal"}`);
  } catch {
    // storage is switched off: the choice lasts as long as the page
  }
}
