/** What differs between two versions of a plan, one entry per agent, role and field. Pure. */

import type { Assignment, Proposal } from "../../api/types";

export type ChangeField =
  | "price"
  | "quantity"
  | "role_added"
  | "role_removed"
  | "responsibility"
  | "date"
  | "milestones"
  | "condition"
  | "gap_opened"
  | "gap_closed"
  | "total";

export interface Change {
  readonly field: ChangeField;
  /** Null where it concerns the whole plan. */
  readonly agentId: string | null;
  readonly name: string;
  readonly role: string;
  readonly concept: string;
  /** A condition's kind, by which requests name it. */
  readonly kind?: string;
  readonly from: string | number | null;
  readonly to: string | number | null;
  readonly currency: string;
}

type Entry = Pick<Change, "field" | "from" | "to"> & Partial<Change>;

export function compare(before: Proposal, after: Proposal): readonly Change[] {
  return [...ofRoles(before, after), ...ofPlan(before, after)];
}

function ofRoles(before: Proposal, after: Proposal): Change[] {
  const old = byRole(before);
  const now = byRole(after);
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  return keys.flatMap((key) => {
    const was = old.get(key);
    const is = now.get(key);
    if (was && is) return ofRole(was, is);
    if (was) return [about(was, { field: "role_removed", from: was.role, to: null })];
    return is ? [about(is, { field: "role_added", from: null, to: is.role })] : [];
  });
}

function ofRole(was: Assignment, is: Assignment): Change[] {
  const entries: Entry[] = [];
  const note = (field: ChangeField, from: string | number, to: string | number) => {
    if (from !== to) entries.push({ field, from, to });
  };
  note("price", was.price, is.price);
  note("quantity", was.quantity, is.quantity);
  const dated = datesOut(was.responsibility) === datesOut(is.responsibility);
  if (!dated) note("responsibility", was.responsibility, is.responsibility);
  for (const condition of is.conditions) {
    const before = was.conditions.find((one) => one.text === condition.text);
    const [from, to] = [before?.status ?? "open", condition.status];
    if (from !== to) {
      entries.push({ field: "condition", from: condition.text, to, kind: condition.kind });
    }
  }
  return entries.map((entry) => about(is, entry));
}

function ofPlan(before: Proposal, after: Proposal): Change[] {
  const entries: Entry[] = [];
  const [day, newDay] = [before.timeline.start_date, after.timeline.start_date];
  if (day !== newDay) entries.push({ field: "date", from: day, to: newDay });
  else if (milestones(before) !== milestones(after)) {
    entries.push({ field: "milestones", from: milestones(before), to: milestones(after) });
  }
  const [gaps, newGaps] = [before.gaps, after.gaps];
  for (const gap of newGaps)
    if (!gaps.includes(gap)) entries.push({ field: "gap_opened", from: null, to: gap });
  for (const gap of gaps)
    if (!newGaps.includes(gap)) entries.push({ field: "gap_closed", from: gap, to: null });
  const [total, newTotal] = [before.cost.total, after.cost.total];
  const currency = after.cost.currency;
  if (total !== newTotal) entries.push({ field: "total", from: total, to: newTotal, currency });
  return entries.map((entry) => ({ agentId: null, name: "", role: "", concept: "", currency, ...entry }));
}

function about(assignment: Assignment, entry: Entry): Change {
  return {
    agentId: assignment.agent_id,
    name: assignment.display_name,
    role: assignment.role,
    concept: assignment.concept,
    currency: assignment.currency,
    ...entry,
  };
}

function byRole(plan: Proposal): Map<string, Assignment> {
  return new Map(plan.assignments.map((one) => [`${one.agent_id} ${one.concept || one.role}`, one]));
}

function milestones(plan: Proposal): string {
  return plan.timeline.milestones.map((one) => `${one.date} ${one.name}`).join("; ");
}

/** Duties repeat the day of the plan; a day that moved is told once, not in every duty. */
function datesOut(text: string): string {
  return text.replace(/\d+/g, "");
}
