/** The limits of a demand in words. Pure. */

import type { Understanding } from "../../api/types";
import type { Lang, Texts } from "../../i18n";
import { count, day, listed, money } from "../../i18n/formats";

export interface Limit {
  /** The field of `context` behind it. */
  readonly field: string;
  readonly label: string;
  /** Null where the demand says nothing. */
  readonly value: string | null;
}

type Words = Texts["form"]["understanding"];

export function limitsOf(understanding: Understanding, words: Words, lang: Lang): readonly Limit[] {
  const { constraints, context } = understanding;
  const optional = [
    { field: "theme", label: words.theme, value: constraints.theme ?? null },
    { field: "excluded", label: words.excluded, value: listed(constraints.excluded, lang) || null },
  ];
  return [
    { field: "location", label: words.where, value: place(understanding, words) },
    { field: "date", label: words.when, value: when(understanding, words, lang) },
    { field: "expected_attendees", label: words.attendees, value: heads(understanding, words, lang) },
    {
      field: "budget",
      label: words.budget,
      value: sum(context.budget ?? constraints.budget, constraints, lang),
    },
    ...optional.filter((one) => one.value !== null),
  ];
}

function place({ constraints, context }: Understanding, words: Words): string | null {
  const parts = [context.location ?? constraints.city, constraints.online ? words.online : null];
  return [...new Set(parts.filter(Boolean))].join(" · ") || null;
}

function when({ constraints, context }: Understanding, words: Words, lang: Lang): string | null {
  const { date_start: first, date_end: last, duration_days: days } = constraints;
  const length = days > 1 ? ` · ${words.days(days)}` : "";
  if (first && last) {
    const window = first === last ? day(first, lang) : words.window(day(first, lang), day(last, lang));
    return window + length;
  }
  if (first) return words.from(day(first, lang)) + length;
  if (last) return words.until(day(last, lang)) + length;
  return context.date ? context.date + length : null;
}

function heads({ constraints, context }: Understanding, words: Words, lang: Lang): string | null {
  const people = context.expected_attendees ?? constraints.attendees;
  return people ? words.peopleCount(count(people, lang)) : null;
}

function sum(
  budget: string | number | null | undefined,
  { currency }: Understanding["constraints"],
  lang: Lang,
): string | null {
  return typeof budget === "number" ? money(budget, currency, lang) : (budget ?? null);
}
