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
export type DemandState = Schemas["DemandState"];
export type CancelReply = Schemas["CancelReply"];
export type ConfirmReply = Schemas["ConfirmReply"];
export type Taken = Schemas["Taken"];
export type EventSlice = Schemas["RecentReply"];
export type DemandPage = Schemas["DemandPage"];

/** What a caller must give, and what it may leave to the node. */
type Sent<T, K extends keyof T> = Pick<T, K> & Partial<T>;

export type NewDemand = Sent<Schemas["SubmitBody"], "raw_input">;
type Edits = Schemas["UnderstandingEdits"];

/** What is left out stays; null in the context takes a limit away. */
export type UnderstandingEdits = Partial<Omit<Edits, "context" | "deep_understanding">> & {
  readonly context?: Partial<Edits["context"]>;
  readonly deep_understanding?: Partial<Edits["deep_understanding"]>;
};
export type OfferBody = Sent<Schemas["PersonOffer"], "decision">;
export type FeedbackBody = Sent<Schemas["PersonFeedback"], "feedback_type">;
export type AgentBody = Sent<
  Schemas["AgentProfile"],
  "agent_id" | "user_name" | "profile_summary" | "location" | "tags"
>;
