/** An agent's profile while it is edited: numbers and lists as the text that stands in the fields. */

import type { AgentBody } from "../../api/types";
import { isRecord, type Json, list, num, record, records, str, strings } from "../../state/read";

export interface OfferDraft {
  /** Tells rows apart while some are added and removed. */
  readonly row: number;
  readonly tag: string;
  readonly title: string;
  readonly price: string;
  readonly currency: string;
  readonly unit: string;
  readonly capacity: string;
  readonly remote: boolean;
  /** What the form does not show, as it came. */
  readonly rest: Json;
}

export interface AgentDraft {
  readonly agentId: string;
  readonly userName: string;
  readonly summary: string;
  readonly location: string;
  readonly tags: string;
  readonly interests: string;
  readonly availability: string;
  readonly languages: string;
  readonly maxRoles: string;
  readonly leadDays: string;
  readonly weekdays: readonly number[];
  readonly offers: readonly OfferDraft[];
  readonly rest: { readonly profile: Json; readonly capabilities: Json; readonly calendar: Json };
}

export const EVERY_DAY: readonly number[] = [0, 1, 2, 3, 4, 5, 6];
/** What the node adds to a profile; it takes none of it back. */
const ADDED = ["status", "origin", "revision", "updated_at"];

const joined = (value: unknown): string => strings(value).join(", ");
const digits = (value: unknown): string => (typeof value === "number" ? String(value) : str(value));

export function splitList(text: string): readonly string[] {
  return text
    .split(/[,，\n]/)
    .map((item) => item.trim())
    .filter(Boolean);
}

let rows = 0;

export function newOffer(value: Json = {}): OfferDraft {
  rows += 1;
  return {
    row: rows,
    tag: str(value.tag),
    title: str(value.title),
    price: digits(value.price),
    currency: str(value.currency, "CNY"),
    unit: str(value.unit, "event"),
    capacity: digits(value.capacity),
    remote: value.remote === true,
    rest: value,
  };
}

/** The draft of a profile; of an empty object, that of a new agent. */
export function draftOf(value: Json): AgentDraft {
  const profile = Object.fromEntries(Object.entries(value).filter(([key]) => !ADDED.includes(key)));
  const capabilities = record(value.capabilities);
  const calendar = record(capabilities.calendar);
  return {
    agentId: str(value.agent_id, "user_agent_"),
    userName: str(value.user_name),
    summary: str(value.profile_summary),
    location: str(value.location),
    tags: joined(value.tags),
    interests: joined(value.interests),
    availability: str(value.availability),
    languages: joined(capabilities.languages),
    maxRoles: digits(capabilities.max_roles ?? 1),
    leadDays: digits(calendar.lead_days ?? 0),
    weekdays: Array.isArray(calendar.weekdays) ? list(calendar.weekdays).map((day) => num(day)) : EVERY_DAY,
    offers: records(capabilities.offers).map(newOffer),
    rest: { profile, capabilities, calendar },
  };
}

function offerOf({ rest, ...offer }: OfferDraft): Json {
  return {
    ...rest,
    tag: offer.tag.trim(),
    title: offer.title.trim(),
    price: Number(offer.price),
    currency: offer.currency.trim(),
    unit: offer.unit,
    capacity: offer.capacity.trim() === "" ? null : Number(offer.capacity),
    remote: offer.remote,
  };
}

/** The profile that a draft stands for; whether it is a good one, the node says. */
export function profileOf(draft: AgentDraft): AgentBody {
  const { profile, capabilities, calendar } = draft.rest;
  const body = {
    ...profile,
    agent_id: draft.agentId.trim(),
    user_name: draft.userName.trim(),
    profile_summary: draft.summary.trim(),
    location: draft.location.trim(),
    tags: splitList(draft.tags),
    interests: splitList(draft.interests),
    availability: draft.availability.trim(),
    capabilities: {
      ...capabilities,
      languages: splitList(draft.languages),
      max_roles: Number(draft.maxRoles),
      calendar: { ...calendar, weekdays: draft.weekdays, lead_days: Number(draft.leadDays) },
      offers: draft.offers.map(offerOf),
    },
  };
  return body as unknown as AgentBody;
}

const TEXTS = ["agent_id", "user_name", "profile_summary", "location", "availability"];
const LISTS = ["tags", "interests"];

/** The first field of a written profile that the form could not show; null where it can show all. */
export function fieldOfWrongType(profile: Json): string | null {
  const { capabilities = {} } = profile;
  const text = TEXTS.find((key) => key in profile && typeof profile[key] !== "string");
  const many = LISTS.find((key) => key in profile && !isListOf(profile[key], "string"));
  if (text ?? many) return text ?? many ?? null;
  if (!isRecord(capabilities)) return "capabilities";
  const { languages = [], calendar = {}, offers = [] } = capabilities;
  if (!isListOf(languages, "string")) return "capabilities.languages";
  if (!isRecord(calendar)) return "capabilities.calendar";
  if (!isListOf(calendar.weekdays ?? [], "number")) return "capabilities.calendar.weekdays";
  return Array.isArray(offers) && offers.every(isRecord) ? null : "capabilities.offers";
}

function isListOf(value: unknown, type: "string" | "number"): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === type);
}
