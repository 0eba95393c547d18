/** Where each candidate stands, out of the events and of what the node tells beside them. Pure. */

import type { Proposal, Seat } from "../../api/types";
import type { CandidateState, CandidateStatus } from "../../state/model";

export type Standing = CandidateStatus | "reserve" | "in_plan" | "not_chosen";

export interface CandidateRow {
  readonly agentId: string;
  readonly standing: Standing;
  /** Null for somebody the events have not named: the reserve. */
  readonly state: CandidateState | null;
  readonly seat: Seat | null;
  readonly roles: string;
}

export type Group = "answering" | "plan" | "offered" | "others" | "reserve";

export interface Known {
  readonly candidates: Readonly<Record<string, CandidateState>>;
  readonly order: readonly string[];
  readonly proposal: Proposal | null;
  readonly seats: readonly Seat[];
}

export function rowsOf({ candidates, order, proposal, seats }: Known): readonly CandidateRow[] {
  const seatOf = new Map(seats.map((seat) => [seat.agent_id, seat]));
  const roles = rolesOf(proposal);
  const known = order.flatMap((agentId) => {
    const state = candidates[agentId];
    if (!state) return [];
    const mine = roles.get(agentId);
    const seat = seatOf.get(agentId) ?? null;
    const standing = standingOf(answerOf(state, seat), mine !== undefined, proposal !== null);
    return [{ agentId, standing, state, seat, roles: mine ?? "" }];
  });
  const others = seats
    .filter((seat) => !(seat.agent_id in candidates))
    .map((seat) => {
      const mine = roles.get(seat.agent_id);
      const standing = mine === undefined ? unasked(seat) : "in_plan";
      return { agentId: seat.agent_id, standing, state: null, seat, roles: mine ?? "" } as const;
    });
  return [...known, ...others];
}

/** Somebody the events have not named; whom a sub-negotiation found is in the plan all the same. */
function unasked(seat: Seat): Standing {
  return seat.invited ? (TOLD[seat.standing] ?? "invited") : "reserve";
}

/** What the node knows of an answer; that somebody waits or was not asked yet, the events know better. */
const TOLD: Readonly<Partial<Record<Seat["standing"], Standing>>> = {
  offered: "participate",
  declined: "decline",
  silent: "silent",
  unknown: "unknown",
  in_plan: "in_plan",
  not_chosen: "not_chosen",
  withdrawn: "withdrawn",
};

/** No event tells that a substitute kept silent: the node does. */
function answerOf({ status }: CandidateState, seat: Seat | null): Standing {
  return status === "invited" && seat !== null ? (TOLD[seat.standing] ?? status) : status;
}

function standingOf(status: Standing, chosen: boolean, planned: boolean): Standing {
  if (status === "withdrawn") return status;
  if (chosen) return "in_plan";
  const offered = status === "participate" || status === "conditional";
  return offered && planned ? "not_chosen" : status;
}

function rolesOf(proposal: Proposal | null): Map<string, string> {
  const roles = new Map<string, string>();
  for (const { agent_id: id, role } of proposal?.assignments ?? []) {
    const before = roles.get(id);
    roles.set(id, before ? `${before} · ${role}` : role);
  }
  return roles;
}

const GROUP: Readonly<Record<Standing, Group>> = {
  in_plan: "plan",
  participate: "offered",
  conditional: "offered",
  not_chosen: "offered",
  invited: "others",
  decline: "others",
  silent: "others",
  unknown: "others",
  withdrawn: "others",
  reserve: "reserve",
};

const RANK: readonly Standing[] = [
  "in_plan",
  "participate",
  "conditional",
  "not_chosen",
  "withdrawn",
  "invited",
  "decline",
  "silent",
  "unknown",
  "reserve",
];

export interface Section {
  readonly group: Group;
  readonly rows: readonly CandidateRow[];
}

/** While answers come in nobody changes place; afterwards those in the plan stand first. */
export function sectionsOf(rows: readonly CandidateRow[], closed: boolean): readonly Section[] {
  const sorted = closed ? rows.toSorted((a, b) => RANK.indexOf(a.standing) - RANK.indexOf(b.standing)) : rows;
  const groups: readonly Group[] = closed
    ? ["plan", "offered", "others", "reserve"]
    : ["answering", "reserve"];
  const groupOf = (row: CandidateRow) => {
    const group = GROUP[row.standing];
    return closed || group === "reserve" ? group : "answering";
  };
  return groups
    .map((group) => ({ group, rows: sorted.filter((row) => groupOf(row) === group) }))
    .filter((section) => section.rows.length > 0);
}

export function countsOf(rows: readonly CandidateRow[]): readonly (readonly [Standing, number])[] {
  const counts = new Map<Standing, number>();
  for (const { standing } of rows) counts.set(standing, (counts.get(standing) ?? 0) + 1);
  return RANK.flatMap((standing) => {
    const count = counts.get(standing);
    return count ? [[standing, count] as const] : [];
  });
}
