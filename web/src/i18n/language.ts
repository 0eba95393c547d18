import { createStore } from "zustand/vanilla";

export type Lang = "zh" | "en";

/** Each language in its own words, whatever the page speaks. */
export const LANGUAGE_NAMES: Readonly<Record<Lang, string>> = { zh: "中文", en: "English" };

const KEY = "moothall.lang";

/** The page's language; outside React, since requests name it too. */
export const language = createStore<{ readonly lang: Lang }>(() => ({ lang: firstLanguage() }));

/** Switch the page's language, and remember it. */
export function setLang(lang: Lang): void {
  language.setState({ lang });
  try {
    localStorage.setItem(KEY, lang);
  } catch {
    // storage is switched off: the choice lasts as long as the page
  }
}

function firstLanguage(): Lang {
  return kept() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
}

function kept(): Lang | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "zh" || value === "en" ? value : null;
  } catch {
    return null;
  }
}
