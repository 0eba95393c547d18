/** Which requirement is offered and covered by whom. Pure. */

import type { Assignment, Proposal, Requirement } from "../../api/types";
import type { CandidateState } from "../../state/model";

export interface Cell {
  readonly kind: "plan" | "offer";
  readonly price: number;
  readonly currency: string;
  readonly quantity: number;
}

export interface CoverageRow {
  readonly requirement: Requirement;
  readonly needed: number;
  readonly covered: number;
  readonly offers: number;
  /** Open: known to be missing. Before there is a plan only what nobody offers is. */
  readonly gap: boolean;
  readonly cells: Readonly<Record<string, Cell>>;
}

export interface Matrix {
  readonly agents: readonly { readonly id: string; readonly name: string; readonly inPlan: boolean }[];
  readonly rows: readonly CoverageRow[];
}

export interface Sources {
  readonly requirements: readonly Requirement[];
  readonly candidates: Readonly<Record<string, CandidateState>>;
  readonly order: readonly string[];
  readonly proposal: Proposal | null;
  readonly closed: boolean;
}

export function coverageOf({ requirements, candidates, order, proposal, closed }: Sources): Matrix {
  const assignments = proposal?.assignments ?? [];
  const offering = order.flatMap((id) => {
    const candidate = candidates[id];
    return candidate && candidate.status !== "withdrawn" && candidate.status !== "decline" ? [candidate] : [];
  });
  const rows = requirements.map((need) => rowOf(need, offering, assignments, proposal !== null, closed));
  return { agents: agentsOf(rows, candidates, order, assignments), rows };
}

function rowOf(
  requirement: Requirement,
  offering: readonly CandidateState[],
  assignments: readonly Assignment[],
  planned: boolean,
  closed: boolean,
): CoverageRow {
  const cells: Record<string, Cell> = {};
  for (const candidate of offering) {
    const term = candidate.terms.find((one) => answers(requirement, one.concept, one.tag));
    if (term) cells[candidate.agentId] = cellOf("offer", term);
  }
  const offers = Object.keys(cells).length;
  let covered = 0;
  for (const one of assignments) {
    if (!answers(requirement, one.concept, one.role)) continue;
    covered += one.quantity;
    cells[one.agent_id] = cellOf("plan", one);
  }
  const needed = requirement.count;
  const gap = planned ? covered < needed : closed && offers === 0;
  return { requirement, needed, covered, offers, gap, cells };
}

function answers(requirement: Requirement, concept: string, tag: string): boolean {
  return concept ? concept === requirement.concept : tag === requirement.tag;
}

type Priced = Omit<Cell, "kind">;

function cellOf(kind: Cell["kind"], { price, currency, quantity }: Priced): Cell {
  return { kind, price, currency, quantity };
}

function agentsOf(
  rows: readonly CoverageRow[],
  candidates: Sources["candidates"],
  order: readonly string[],
  assignments: readonly Assignment[],
): Matrix["agents"] {
  const planned = new Map(assignments.map((one) => [one.agent_id, one.display_name]));
  const named = new Set(rows.flatMap((row) => Object.keys(row.cells)));
  const others = order.filter((id) => named.has(id) && !planned.has(id));
  return [
    ...[...planned].map(([id, name]) => ({ id, name, inPlan: true })),
    ...others.map((id) => ({ id, name: candidates[id]?.displayName ?? id, inPlan: false })),
  ];
}
