/** What the page knows of one negotiation: folded from its events, and from nothing else. */

import type {
  Adjustment,
  Compromise,
  Constraints,
  Gap,
  LogEvent,
  OfferTerm,
  Proposal,
  Requirement,
  Spent,
  Understanding,
} from "../api/types";
import { noEntries } from "./read";
import type { TimelinePhase } from "./timelinePhases";

/** Where the page stands; each has a text of its own. `waiting`: for the requester's confirmation. */
export type Phase =
  | "empty"
  | "understanding"
  | "waiting"
  | "searching"
  | "negotiating"
  | "success"
  | "partial"
  | "compromise"
  | "failed"
  | "cancelled";

/** Where one candidate stands by the events; `why_not` is told by the node, see `Seat` in `api/types`. */
export type CandidateStatus =
  | "invited"
  | "participate"
  | "conditional"
  | "decline"
  | "silent"
  | "unknown"
  | "withdrawn";

export interface Condition {
  readonly text: string;
  readonly status: "open" | "met" | "declined";
  readonly reason: string;
}

export interface CandidateState {
  readonly agentId: string;
  readonly displayName: string;
  readonly person: boolean;
  /** Why it was thought of; empty for somebody who came in another way. */
  readonly reason: string;
  readonly matchScore: number | null;
  readonly status: CandidateStatus;
  /** The exact words of its offer. */
  readonly contribution: string;
  readonly reasoning: string;
  readonly conditions: readonly Condition[];
  readonly declineReason: string;
  readonly withdrawReason: string;
  readonly terms: readonly OfferTerm[];
  readonly source: string | null;
  readonly degraded: boolean;
  /** Invited to take over a lost role, in this round. */
  readonly substituteIn: number | null;
  /** The code of the failure behind an unknown answer. */
  readonly fault: string | null;
}

export type FeedbackKind = "accept" | "negotiate" | "withdraw";

export interface FeedbackState {
  readonly eventId: string;
  readonly agentId: string;
  readonly displayName: string;
  readonly kind: FeedbackKind;
  readonly byDefault: boolean;
  readonly round: number;
  readonly reasoning: string;
  readonly request: string;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly at: string;
}

/** The parts of the feedback bar; explicit + byDefault = the event's `accepts`. */
export interface Tally {
  readonly explicit: number;
  readonly byDefault: number;
  readonly negotiate: number;
  readonly withdraw: number;
  /** Silent ones that count as nothing (policy abstain) are told apart from defaults. */
  readonly silent: number;
  readonly participants: number | null;
  readonly acceptRate: number | null;
}

/** One version of the plan, with the round it was made for and what it changed. */
export interface PlanVersion {
  readonly proposal: Proposal;
  readonly round: number;
  readonly adjustment: Adjustment | null;
  readonly source: string | null;
  readonly degraded: boolean;
  readonly at: string;
}

export interface RoundState {
  readonly round: number;
  readonly feedback: readonly FeedbackState[];
  /** Null until the node has counted. */
  readonly tally: Tally | null;
}

export interface SubNegotiation {
  readonly demandId: string;
  readonly channelId: string;
  readonly gapType: string;
  readonly outcome: "running" | "finalized" | "failed" | "timeout";
  readonly proposal: Proposal | null;
}

export interface Ending {
  readonly kind: "finalized" | "failed";
  readonly consensus: "full" | "partial" | null;
  readonly label: string;
  readonly unconfirmed: readonly string[];
  readonly gaps: readonly Gap[];
  readonly suggestions: readonly string[];
  readonly compromise: Compromise | null;
  /** The last word on the plan: the final one, or the last that was on the table when it failed. */
  readonly proposal: Proposal | null;
  readonly reason: string | null;
  readonly message: string;
  readonly code: string | null;
  readonly roundsTaken: number | null;
  readonly degradedSteps: readonly string[];
  readonly usage: Spent | null;
  readonly at: string;
}

export interface NegotiationState {
  readonly demandId: string | null;
  readonly channelId: string | null;
  readonly phase: Phase;
  readonly rawInput: string;
  readonly requesterId: string;
  readonly understanding: Understanding | null;
  /** Fields that the requester replaced before it went on. */
  readonly edited: readonly string[];
  readonly requirements: readonly Requirement[];
  readonly constraints: Constraints | null;
  readonly round: number;
  readonly maxRounds: number;
  /** RFC 3339; when the present phase ends; null while nothing is waited for. */
  readonly deadlineAt: string | null;
  /** Offers that came, of how many that were asked. */
  readonly invited: number;
  readonly offersClosed: boolean;
  /** By agent id, in the order in which they turned up. */
  readonly candidates: Readonly<Record<string, CandidateState>>;
  readonly candidateOrder: readonly string[];
  readonly analysis: string;
  /** In order; never emptied, whatever happens later. */
  readonly plans: readonly PlanVersion[];
  readonly rounds: readonly RoundState[];
  readonly gaps: readonly Gap[];
  readonly subs: readonly SubNegotiation[];
  /** What those said who were asked, after the last round, to fill a place that was open. */
  readonly standIns: readonly FeedbackState[];
  readonly ending: Ending | null;
  readonly degraded: boolean;
  /** Some payload said that it is a recording. */
  readonly demo: boolean;
  /** The latest events, oldest first, at most `MOST_EVENTS`. */
  readonly events: readonly LogEvent[];
  /** Events that have left memory. */
  readonly dropped: number;
  /** The phase in which the last of those stood. */
  readonly droppedPhase: TimelinePhase;
  readonly lastEventId: string | null;
  /** Entries of lists that are more than the page shows; the raw events have them all. */
  readonly leftOut: number;
  /** RFC 3339 of the first and the last event. */
  readonly startedAt: string | null;
  readonly updatedAt: string | null;
}

export const MOST_EVENTS = 1000;

export const NOTHING: NegotiationState = {
  demandId: null,
  channelId: null,
  phase: "empty",
  rawInput: "",
  requesterId: "",
  understanding: null,
  edited: [],
  requirements: [],
  constraints: null,
  round: 0,
  maxRounds: 3,
  deadlineAt: null,
  invited: 0,
  offersClosed: false,
  candidates: noEntries(),
  candidateOrder: [],
  analysis: "",
  plans: [],
  rounds: [],
  gaps: [],
  subs: [],
  standIns: [],
  ending: null,
  degraded: false,
  demo: false,
  events: [],
  dropped: 0,
  droppedPhase: "other",
  lastEventId: null,
  leftOut: 0,
  startedAt: null,
  updatedAt: null,
};
