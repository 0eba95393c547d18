/** Numbers, sums and times as people of a language write them. Pure, but for the time zone of the browser. */

import type { Lang } from "./language";

const LOCALE: Readonly<Record<Lang, string>> = { zh: "zh-CN", en: "en-GB" };
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A sum; cents only where there are some. A currency nobody knows stands as its code. */
export function money(value: number, currency: string, lang: Lang): string {
  const digits = Number.isInteger(value) ? 0 : 2;
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  try {
    const style = { style: "currency", currency, currencyDisplay: "narrowSymbol" } as const;
    return new Intl.NumberFormat(LOCALE[lang], { ...style, ...options }).format(value);
  } catch {
    return `${new Intl.NumberFormat(LOCALE[lang], options).format(value)} ${currency}`.trim();
  }
}

/** What models cost, in dollars: a call costs fractions of a cent, which are shown where they are all there is. */
export function modelCost(dollars: number, lang: Lang): string {
  const digits = dollars > 0 && dollars < 0.1 ? 5 : 2;
  const style = { style: "currency", currency: "USD", currencyDisplay: "narrowSymbol" } as const;
  const options = { minimumFractionDigits: 2, maximumFractionDigits: digits };
  return new Intl.NumberFormat(LOCALE[lang], { ...style, ...options }).format(dollars);
}

/** A day; a plain date is that day everywhere, a moment is the day it is here. */
export function day(iso: string, lang: Lang): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const zone = DAY.test(iso) ? { timeZone: "UTC" } : {};
  const options = { year: "numeric", month: "short", day: "numeric", weekday: "short", ...zone } as const;
  return new Intl.DateTimeFormat(LOCALE[lang], options).format(date);
}

/** The time of day of a moment, to the second. */
export function clock(iso: string, lang: Lang): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const options = { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } as const;
  return new Intl.DateTimeFormat(LOCALE[lang], options).format(date);
}

const UNITS: Readonly<Record<Lang, readonly [string, string, string, string]>> = {
  zh: [" 天", " 小时", " 分", " 秒"],
  en: [" d", " h", " min", " s"],
};

/** A length of time in its two largest units; below a minute with the tenth of a second when it is short. */
export function span(seconds: number, lang: Lang): string {
  const [days, hours, minutes, secs] = UNITS[lang];
  const whole = Math.max(0, Math.round(seconds));
  if (seconds > 0 && seconds < 10 && !Number.isInteger(seconds)) return `${seconds.toFixed(1)}${secs}`;
  if (whole < 60) return `${whole}${secs}`;
  const minute = Math.floor(whole / 60);
  if (minute < 60) return join(minute, minutes, whole % 60, secs);
  const hour = Math.floor(minute / 60);
  if (hour < 24) return join(hour, hours, minute % 60, minutes);
  return join(Math.floor(hour / 24), days, hour % 24, hours);
}

/** A whole number with its thousands apart. */
export function count(value: number, lang: Lang): string {
  return new Intl.NumberFormat(LOCALE[lang]).format(value);
}

const COMMA: Readonly<Record<Lang, string>> = { zh: "、", en: ", " };

/** Several names or words in a row. */
export function listed(items: readonly string[], lang: Lang): string {
  return items.map(isolated).join(COMMA[lang]);
}

const RIGHT_TO_LEFT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/** A foreign name within a sentence: one that is written from right to left leaves the words around it in place. */
export function isolated(text: string): string {
  return RIGHT_TO_LEFT.test(text) ? `\u2068${text}\u2069` : text;
}

function join(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit} ${small}${smallUnit}`;
}
