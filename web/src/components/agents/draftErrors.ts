/** What is wrong with a draft, by field: what the page sees itself, and what the node said. */

import type { Problem } from "../../api/problem";
import type { Texts } from "../../i18n";
import { type AgentDraft, type OfferDraft, splitList } from "./draft";

/** By the path of the field in the profile, such as `capabilities.offers[0].price`. */
export type FieldErrors = Readonly<Record<string, string>>;

type Words = Texts["agents"]["errors"];

export const LEAST_SUMMARY = 200;
export const MOST_SUMMARY = 500;
const ID = /^user_agent_[a-z0-9_]+$/;
const CURRENCY = /^[A-Z]{3}$/;

/** Characters as the node counts them. */
export const lengthOf = (text: string): number => [...text.trim()].length;

const isNumber = (text: string): boolean => text.trim() !== "" && Number(text) >= 0;
const isWhole = (text: string): boolean => /^\d+$/.test(text.trim());

function offerErrors(offer: OfferDraft, tags: readonly string[], t: Words): FieldErrors {
  const errors: Record<string, string> = {};
  if (!offer.tag.trim()) errors.tag = t.required;
  else if (!tags.includes(offer.tag.trim())) errors.tag = t.tagNotListed;
  if (!offer.title.trim()) errors.title = t.required;
  if (!isNumber(offer.price)) errors.price = t.number;
  if (!CURRENCY.test(offer.currency.trim())) errors.currency = t.currency;
  if (offer.capacity.trim() && !isWhole(offer.capacity)) errors.capacity = t.whole;
  return errors;
}

export function draftErrors(draft: AgentDraft, t: Words): FieldErrors {
  const errors: Record<string, string> = {};
  const tags = splitList(draft.tags);
  if (!ID.test(draft.agentId.trim())) errors.agent_id = t.id;
  if (!draft.userName.trim()) errors.user_name = t.required;
  const length = lengthOf(draft.summary);
  if (length < LEAST_SUMMARY || length > MOST_SUMMARY) errors.profile_summary = t.summary;
  if (!draft.location.trim()) errors.location = t.required;
  if (tags.length === 0) errors.tags = t.required;
  if (!isWhole(draft.maxRoles)) errors["capabilities.max_roles"] = t.whole;
  if (!isWhole(draft.leadDays)) errors["capabilities.calendar.lead_days"] = t.whole;
  draft.offers.forEach((offer, index) => {
    for (const [field, error] of Object.entries(offerErrors(offer, tags, t))) {
      errors[`capabilities.offers[${index}].${field}`] = error;
    }
  });
  return errors;
}

const PATH = /^([a-z_]+(?:\.[a-z_]+|\[\d+\])*)/;

/** The node's words by field; under "" what names no field. */
export function nodeErrors(problem: Problem): FieldErrors {
  const errors: Record<string, string> = {};
  for (const part of problem.why.split(/[;；]\s*/).filter(Boolean)) {
    const path = PATH.exec(part)?.[1] ?? "";
    errors[path] = errors[path] ? `${errors[path]}; ${part}` : part;
  }
  return errors;
}

/** What stands at one of these fields is shown there; the rest is to be shown above the form. */
export function elsewhere(errors: FieldErrors, fields: readonly string[]): readonly string[] {
  return Object.entries(errors)
    .filter(([path]) => !fields.includes(path))
    .map(([, error]) => error);
}

/** The paths of the fields that the form has for a draft. */
export function fieldsOf(draft: AgentDraft): readonly string[] {
  const offers = draft.offers.flatMap((_, index) =>
    ["tag", "title", "price", "currency", "capacity"].map(
      (field) => `capabilities.offers[${index}].${field}`,
    ),
  );
  return [
    ...["agent_id", "user_name", "profile_summary", "location", "tags", "interests", "availability"],
    ...["capabilities.languages", "capabilities.max_roles", "capabilities.calendar.lead_days"],
    ...offers,
  ];
}
