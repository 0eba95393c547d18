/** The plans, round by round, and what their participants say to them. */

import type { Proposal } from "../api/types";
import { MOST_ANSWERS, MOST_CONDITIONS, MOST_PLANS } from "./bounds";
import { withCandidate } from "./candidates";
import type { Reducers } from "./events";
import { feedback } from "./feedback";
import type { CandidateState, Condition, NegotiationState, RoundState } from "./model";
import { offeredTo } from "./openPlaces";
import { advance } from "./phases";
import { count, flag, numOrNull, roundLimit, roundNumber, str, strOrNull } from "./read";
import { adjustment, condition, proposal } from "./shapes";

type Group =
  | "towow.proposal.distributed"
  | "towow.proposal.feedback"
  | "towow.feedback.evaluated"
  | "towow.negotiation.round_started"
  | "towow.negotiation.bargain"
  | "towow.agent.withdrawn"
  | "towow.substitute.invited"
  | "towow.substitute.answered";

export const ROUNDS: Reducers<Group> = {
  "towow.proposal.distributed": (state, payload, event) => {
    const plan = proposal(payload.proposal);
    if (plan === null) return state;
    const round = roundNumber(payload.round, plan.version);
    const version = {
      proposal: plan,
      round,
      adjustment: adjustment(payload.adjustment),
      source: strOrNull(payload.source),
      degraded: flag(payload.degraded),
      at: event.timestamp,
    };
    const begun = beginRound(state, round, roundLimit(payload.max_rounds, state.maxRounds));
    const deadlineAt = strOrNull(payload.deadline_at);
    if (begun.plans.length >= MOST_PLANS) return { ...begun, deadlineAt, leftOut: begun.leftOut + 1 };
    return settleConditions({ ...begun, plans: [...begun.plans, version], deadlineAt }, plan);
  },

  "towow.proposal.feedback": (state, payload, event) => {
    const given = feedback(payload, event, state.round);
    const full = state.rounds.some(
      ({ round, feedback: all }) => round === given.round && all.length >= MOST_ANSWERS,
    );
    if (full) return { ...state, leftOut: state.leftOut + 1 };
    return withRound(state, given.round, (before) => ({ ...before, feedback: [...before.feedback, given] }));
  },

  "towow.feedback.evaluated": (state, payload) => {
    const byDefault = count(payload.defaults);
    const tally = {
      explicit: Math.max(0, count(payload.accepts) - byDefault),
      byDefault,
      negotiate: count(payload.negotiates),
      withdraw: count(payload.rejects),
      silent: count(payload.silent),
      participants: numOrNull(payload.participants),
      acceptRate: numOrNull(payload.accept_rate),
    };
    const round = roundNumber(payload.round, state.round);
    return { ...withRound(state, round, (before) => ({ ...before, tally })), deadlineAt: null };
  },

  "towow.negotiation.round_started": (state, payload) =>
    beginRound(
      state,
      roundNumber(payload.round, state.round),
      roundLimit(payload.max_rounds, state.maxRounds),
    ),

  // What is wanted stands in the same agent's feedback; the timeline shows the event itself.
  "towow.negotiation.bargain": (state) => state,

  "towow.agent.withdrawn": (state, payload) =>
    withCandidate(state, str(payload.agent_id), (before) => ({
      ...before,
      displayName: str(payload.display_name, before.displayName),
      status: "withdrawn",
      withdrawReason: str(payload.reason),
    })),

  "towow.substitute.invited": (state, payload) => {
    const asked = withCandidate(state, str(payload.agent_id), (before) => ({
      ...before,
      displayName: str(payload.display_name, before.displayName),
      substituteIn: roundNumber(payload.round, state.round),
    }));
    return { ...asked, deadlineAt: strOrNull(payload.deadline_at) ?? state.deadlineAt };
  },

  "towow.substitute.answered": (state, payload, event) => {
    if (state.standIns.length >= MOST_ANSWERS) return { ...state, leftOut: state.leftOut + 1 };
    const answered = { ...state, standIns: [...state.standIns, feedback(payload, event, state.round)] };
    return offeredTo(answered).length > 0 ? answered : { ...answered, deadlineAt: null };
  },
};

function beginRound(state: NegotiationState, round: number, maxRounds: number): NegotiationState {
  const moved = { ...advance(state, "negotiating"), round: Math.max(state.round, round), maxRounds };
  return withRound(moved, round, (before) => before);
}

function withRound(
  state: NegotiationState,
  round: number,
  change: (before: RoundState) => RoundState,
): NegotiationState {
  const known = state.rounds.some((item) => item.round === round);
  const rounds = known ? state.rounds : [...state.rounds, { round, feedback: [], tally: null }];
  return { ...state, rounds: rounds.map((item) => (item.round === round ? change(item) : item)) };
}

/** What a plan says of the conditions of those who are in it. */
function settleConditions(state: NegotiationState, plan: Proposal): NegotiationState {
  const known = plan.assignments.filter((item) => Object.hasOwn(state.candidates, item.agent_id));
  return known.reduce((so, item) => {
    const settle = (before: CandidateState): CandidateState => ({
      ...before,
      conditions: item.conditions.map(condition).reduce(replaceByText, before.conditions),
    });
    return item.conditions.length > 0 ? withCandidate(so, item.agent_id, settle) : so;
  }, state);
}

function replaceByText(before: readonly Condition[], now: Condition): readonly Condition[] {
  const known = before.some((item) => item.text === now.text);
  if (known) return before.map((item) => (item.text === now.text ? now : item));
  return before.length < MOST_CONDITIONS ? [...before, now] : before;
}
