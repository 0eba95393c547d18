/** The things that payloads speak of, read so that every field has its type. */

import type {
  Adjustment,
  Assignment,
  Compromise,
  Constraints,
  Gap,
  OfferTerm,
  Proposal,
  Requirement,
  Spent,
  Understanding,
} from "../api/types";
import type { Condition } from "./model";
import {
  count,
  fields,
  flag,
  isRecord,
  list,
  num,
  numOrNull,
  oneOf,
  oneOrNull,
  records,
  str,
  strings,
  strOrNull,
} from "./read";

const CONFIDENCE = ["high", "medium", "low"] as const;
const STATUS = ["open", "met", "declined"] as const;
export const CONSENSUS = ["full", "partial"] as const;

type PlannedCondition = Assignment["conditions"][number];
type Context = Understanding["context"];

export function understanding(value: unknown): Understanding {
  const of = fields<Understanding>(value);
  const deep = fields<Understanding["deep_understanding"]>(of.deep_understanding);
  return {
    surface_demand: str(of.surface_demand),
    deep_understanding: {
      motivation: str(deep.motivation),
      likely_preferences: strings(deep.likely_preferences),
      emotional_context: str(deep.emotional_context),
    },
    capability_tags: strings(of.capability_tags),
    context: context(of.context),
    uncertainties: strings(of.uncertainties),
    confidence: oneOf(of.confidence, CONFIDENCE, "low"),
    lang: oneOf(of.lang, ["zh", "en"], "zh"),
    requirements: list(of.requirements).map(requirement),
    constraints: constraints(of.constraints),
  };
}

function context(value: unknown): Context {
  const of = fields<Context>(value);
  return {
    location: strOrNull(of.location),
    expected_attendees: numOrNull(of.expected_attendees),
    date: strOrNull(of.date),
    budget: strOrNull(of.budget) ?? numOrNull(of.budget),
  };
}

function requirement(value: unknown): Requirement {
  const of = fields<Requirement>(value);
  return {
    tag: str(of.tag),
    concept: str(of.concept),
    importance: num(of.importance, 80),
    count: count(of.count, 1),
    named: of.named !== false,
  };
}

function constraints(value: unknown): Constraints {
  const of = fields<Constraints>(value);
  return {
    city: strOrNull(of.city),
    online: flag(of.online),
    date_start: strOrNull(of.date_start),
    date_end: strOrNull(of.date_end),
    attendees: numOrNull(of.attendees),
    budget: numOrNull(of.budget),
    currency: str(of.currency, "CNY"),
    duration_days: count(of.duration_days, 1),
    theme: strOrNull(of.theme),
    excluded: strings(of.excluded),
  };
}

export function term(value: unknown): OfferTerm {
  const of = fields<OfferTerm>(value);
  return {
    tag: str(of.tag),
    concept: str(of.concept),
    price: num(of.price),
    currency: str(of.currency, "CNY"),
    quantity: count(of.quantity, 1),
    capacity: numOrNull(of.capacity),
    dates: Array.isArray(of.dates) ? strings(of.dates) : null,
    conditions: list(of.conditions).map(plannedCondition),
  };
}

function plannedCondition(value: unknown): PlannedCondition {
  const of = fields<PlannedCondition>(value);
  return {
    text: str(of.text),
    kind: str(of.kind, "other"),
    concept: strOrNull(of.concept),
    value: numOrNull(of.value),
    status: oneOf(of.status, STATUS, "open"),
    reason: str(of.reason),
  };
}

/** What a candidate's card tells of a condition. */
export function condition(of: PlannedCondition): Condition {
  return { text: of.text, status: of.status, reason: of.reason };
}

function assignment(value: unknown): Assignment {
  const of = fields<Assignment>(value);
  return {
    agent_id: str(of.agent_id),
    display_name: str(of.display_name, str(of.agent_id)),
    role: str(of.role),
    responsibility: str(of.responsibility),
    dependencies: strings(of.dependencies),
    notes: str(of.notes),
    concept: str(of.concept),
    price: num(of.price),
    currency: str(of.currency, "CNY"),
    quantity: count(of.quantity, 1),
    conditions: list(of.conditions).map(plannedCondition),
  };
}

export function proposal(value: unknown): Proposal | null {
  if (!isRecord(value)) return null;
  const of = fields<Proposal>(value);
  return {
    proposal_id: str(of.proposal_id),
    demand_id: str(of.demand_id),
    version: count(of.version, 1),
    created_at: str(of.created_at),
    summary: str(of.summary),
    objective: str(of.objective),
    assignments: list(of.assignments).map(assignment),
    timeline: timeline(of.timeline),
    rationale: str(of.rationale),
    gaps: strings(of.gaps),
    confidence: oneOf(of.confidence, CONFIDENCE, "medium"),
    cost: cost(of.cost),
    consensus: oneOrNull(of.consensus, CONSENSUS),
    consensus_label: str(of.consensus_label),
  };
}

function timeline(value: unknown): Proposal["timeline"] {
  const of = fields<Proposal["timeline"]>(value);
  return {
    start_date: str(of.start_date),
    milestones: records(of.milestones).map(({ name, date, deliverable }) => ({
      name: str(name),
      date: str(date),
      deliverable: str(deliverable),
    })),
  };
}

function cost(value: unknown): Proposal["cost"] {
  const of = fields<Proposal["cost"]>(value);
  return { total: num(of.total), currency: str(of.currency, "CNY"), budget: numOrNull(of.budget) };
}

export function gap(value: unknown): Gap {
  const of = fields<Gap>(value);
  return {
    gap_type: str(of.gap_type),
    importance: num(of.importance),
    reason: str(of.reason),
    suggested_capability_tags: strings(of.suggested_capability_tags),
  };
}

/** What a compromise says; a plan that was settled by one carries the same keys. */
export function compromise(value: unknown): Compromise | null {
  if (!isRecord(value)) return null;
  const of = fields<Compromise>(value);
  return {
    summary: str(of.summary),
    type: "compromise",
    assignments: list(of.assignments).map(assignment),
    compromises: records(of.compromises),
    unresolved: strings(of.unresolved),
    suggestions: strings(of.suggestions),
    confidence: oneOf(of.confidence, ["low", "medium"], "low"),
  };
}

export function adjustment(value: unknown): Adjustment | null {
  if (!isRecord(value)) return null;
  const of = fields<Adjustment>(value);
  return {
    round: count(of.round),
    changes_made: records(of.changes_made),
    requests_addressed: records(of.requests_addressed),
    requests_declined: records(of.requests_declined),
  };
}

export function spent(value: unknown): Spent | null {
  if (!isRecord(value)) return null;
  const of = fields<Spent>(value);
  return {
    requests: count(of.requests),
    input_tokens: count(of.input_tokens),
    output_tokens: count(of.output_tokens),
    cost_usd: numOrNull(of.cost_usd),
  };
}
