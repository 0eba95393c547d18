/** The page's texts, by area; a text that is missing in one language is a compile error. */

import { useStore } from "zustand";
import { agents as agentsEn } from "./en/agents";
import { errors as errorsEn } from "./en/errors";
import { form as formEn } from "./en/form";
import { join as joinEn } from "./en/join";
import { list as listEn } from "./en/list";
import { negotiation as negotiationEn } from "./en/negotiation";
import { plan as planEn } from "./en/plan";
import { replay as replayEn } from "./en/replay";
import { shell as shellEn } from "./en/shell";
import { timeline as timelineEn } from "./en/timeline";
import { type Lang, language, setLang } from "./language";
import { agents } from "./zh/agents";
import { errors } from "./zh/errors";
import { form } from "./zh/form";
import { join } from "./zh/join";
import { list } from "./zh/list";
import { negotiation } from "./zh/negotiation";
import { plan } from "./zh/plan";
import { replay } from "./zh/replay";
import { shell } from "./zh/shell";
import { timeline } from "./zh/timeline";

export { LANGUAGE_NAMES, type Lang, language, setLang } from "./language";

const ZH = { agents, errors, form, join, list, negotiation, plan, replay, shell, timeline };

export type Texts = typeof ZH;

const EN: Texts = {
  agents: agentsEn,
  errors: errorsEn,
  form: formEn,
  join: joinEn,
  list: listEn,
  negotiation: negotiationEn,
  plan: planEn,
  replay: replayEn,
  shell: shellEn,
  timeline: timelineEn,
};

const BY_LANG: Readonly<Record<Lang, Texts>> = { zh: ZH, en: EN };

export function texts(lang: Lang): Texts {
  return BY_LANG[lang];
}

export function useLang(): { readonly lang: Lang; readonly setLang: (lang: Lang) => void } {
  return { lang: useStore(language, (state) => state.lang), setLang };
}

export function useTexts(): Texts {
  return texts(useLang().lang);
}
