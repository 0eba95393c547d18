/** Which requirement is offered and covered by whom. Pure. */

import type { Assignment, Proposal, Requirement } from "../../api/types";
import type { CandidateState } from "../../state/model";
import type { Ask } from "./asks";

export interface Cell {
  readonly kind: "plan" | "offer";
  readonly price: number;
  /** Another price that was asked for in the meantime, and is not answered yet. */
  readonly asked: number | null;
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
  readonly asks?: ReadonlyMap<string, Ask>;
  /** The round that is answered now, or was last. */
  readonly round?: number;
}

export function coverageOf(sources: Sources): Matrix {
  const { requirements, candidates, order, proposal, closed, asks = new Map(), round = 0 } = sources;
  const assignments = proposal?.assignments ?? [];
  const offering = order.flatMap((id) => {
    const candidate = candidates[id];
    return candidate && candidate.status !== "withdrawn" && candidate.status !== "decline" ? [candidate] : [];
  });
  const open = (id: string, planned: boolean) => {
    const ask = asks.get(id);
    return ask && (!planned || ask.round >= round) ? ask.prices : null;
  };
  const rows = requirements.map((need) =>
    rowOf(need, { offering, assignments, open }, proposal !== null, closed),
  );
  return { agents: agentsOf(rows, candidates, order, assignments), rows };
}

interface Known {
  readonly offering: readonly CandidateState[];
  readonly assignments: readonly Assignment[];
  /** What somebody asks for that no plan has answered. */
  readonly open: (agentId: string, planned: boolean) => Ask["prices"] | null;
}

function rowOf(
  requirement: Requirement,
  { offering, assignments, open }: Known,
  planned: boolean,
  closed: boolean,
): CoverageRow {
  const cells: Record<string, Cell> = Object.create(null);
  for (const { agentId: id, terms } of offering) {
    const term = terms.find((one) => answers(requirement, one.concept, one.tag));
    if (term) cells[id] = cellOf("offer", term, open(id, false)?.get(term.concept || term.tag));
  }
  const offers = Object.keys(cells).length;
  let covered = 0;
  for (const one of assignments) {
    if (!answers(requirement, one.concept, one.role)) continue;
    covered += one.quantity;
    cells[one.agent_id] = cellOf("plan", one, open(one.agent_id, true)?.get(one.concept || one.role));
  }
  const needed = requirement.count;
  const gap = planned ? covered < needed : closed && offers === 0;
  return { requirement, needed, covered, offers, gap, cells };
}

function answers(requirement: Requirement, concept: string, tag: string): boolean {
  return concept ? concept === requirement.concept : tag === requirement.tag;
}

type Priced = Omit<Cell, "kind" | "asked">;

function cellOf(kind: Cell["kind"], { price, currency, quantity }: Priced, asked = price): Cell {
  return { kind, price, asked: asked === price ? null : asked, currency, quantity };
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
