/** The names that the page uses for what the node says; all of them come from the node's OpenAPI document. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type EventPayloads = Schemas["EventPayloads"];
export type EventType = keyof EventPayloads;

/** One event of the log as every client sees it. The type may be one that this page does not know yet. */
export interface LogEvent {
  readonly event_id: string;
  readonly event_type: string;
  readonly timestamp: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export type Understanding = Schemas["DemandUnderstanding"];
export type Requirement = Schemas["Requirement"];
export type Constraints = Schemas["Constraints"];
export type Candidate = Schemas["CandidateShown"];
export type OfferTerm = Schemas["Term"];
export type Proposal = Schemas["Proposal"];
export type Assignment = Schemas["Assignment"];
export type Gap = Schemas["Gap"];
export type Compromise = Schemas["Compromise"];
export type Adjustment = Schemas["AdjustmentSummary"];
export type Spent = Schemas["Spent"];
export type Seat = Schemas["Seat"];
export type Step = Schemas["Step"];
export type DemandView = Schemas["DemandReply"];
export type DemandSummary = Schemas["DemandSummary"];
export type AgentView = Schemas["AgentView"];
export type Invitation = Schemas["Invitation"];
export type SubmitReply = Schemas["SubmitReply"];
export type ErrorBody = Schemas["ErrorBody"];
