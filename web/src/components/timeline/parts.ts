/** Pieces of a line about an event: each is a text, or nothing. */

import type { Lang, Texts } from "../../i18n";
import { clock, listed, money } from "../../i18n/formats";
import { count, items, type Payload, record, words } from "./payload";

export type Part = string | null | false;
export const name = (payload: Payload): string =>
  words(payload, "display_name") || words(payload, "agent_id");
export const number = (payload: Payload, key: string, say: (n: number) => string): Part => {
  const value = count(payload, key);
  return value === null ? null : say(value);
};
export const some = (n: number, say: (n: number) => string): Part => (n > 0 ? say(n) : null);

export function deadline(payload: Payload, t: Texts["timeline"], lang: Lang): Part {
  const at = words(payload, "deadline_at");
  return at && !Number.isNaN(Date.parse(at)) ? t.until(clock(at, lang)) : null;
}

export function names(payload: Payload, key: string, lang: Lang): string {
  return listed(
    items(payload, key)
      .map((item) => name(record(item)))
      .filter(Boolean),
    lang,
  );
}

export function total(proposal: Payload, lang: Lang): Part {
  const cost = record(proposal.cost);
  const value = count(cost, "total");
  return value === null ? null : money(value, words(cost, "currency") || "CNY", lang);
}

export function plan(proposal: Payload, t: Texts["timeline"], lang: Lang): readonly Part[] {
  return [
    number(proposal, "version", t.version),
    total(proposal, lang),
    names(proposal, "assignments", lang),
  ];
}
