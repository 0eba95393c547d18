/** Which request stands behind a change between two versions of a plan. Pure. */

import type { FeedbackState } from "../../state/model";
import type { Answered, Background } from "./background";
import type { Change } from "./compare";

export interface Cause {
  readonly kind: "request" | "withdrawal" | "replaces" | "told" | "stood_in" | "sub" | "follows";
  /** The event in which it was asked for, where there is one; `agent:field` where that event has left memory. */
  readonly request: string | null;
  readonly agentId: string | null;
  /** The words of whoever asked or left. */
  readonly words: string;
  /** What the node said about it; the gap that a sub-negotiation was for. */
  readonly reason: string;
}

const FIELDS: Partial<Record<Change["field"], readonly string[]>> = {
  price: ["price"],
  date: ["date", "start_date"],
  role_removed: ["drop_role", "price"],
  quantity: ["quantity"],
};

export function causeOf(change: Change, all: readonly Change[], background: Background): Cause {
  return (
    requestBehind(change, background) ??
    leaving(change, background) ??
    joining(change, all, background) ??
    replacing(change, all, background) ??
    toldBy(change, background) ??
    cause("follows")
  );
}

function requestBehind(change: Change, { answered, feedback }: Background): Cause | null {
  const fields = FIELDS[change.field] ?? (change.kind ? [change.kind, "requires"] : []);
  const mine = (id: string) => change.agentId === null || id === change.agentId;
  const settled = answered.findLast((one) => mine(one.agentId) && fields.includes(one.field));
  if (settled && (settled.granted || change.agentId !== null))
    return asked(settled, settled.reason, feedback);
  const said = feedback.findLast(
    (one) =>
      one.kind === "negotiate" &&
      mine(one.agentId) &&
      fields.some((field) => Object.hasOwn(one.changes, field)),
  );
  const field = said && fields.find((one) => Object.hasOwn(said.changes, one));
  return said && field ? asked({ agentId: said.agentId, field }, "", feedback) : null;
}

function leaving(change: Change, { feedback }: Background): Cause | null {
  if (change.field !== "role_removed") return null;
  const left = feedback.findLast((one) => one.kind === "withdraw" && one.agentId === change.agentId);
  if (!left) return null;
  return cause("withdrawal", { request: left.eventId, agentId: left.agentId, words: left.reasoning });
}

/** Whoever joined after the last round, and the gap that is closed by that. */
function joining(change: Change, all: readonly Change[], { standIns, subs }: Background): Cause | null {
  if (change.field === "gap_closed") {
    const filled = all.find((one) => one.field === "role_added" && one.role === change.from);
    const bySub = subs.find((one) => one.gapType === change.from);
    if (bySub) return cause("sub", { reason: bySub.gapType });
    return filled && standIns.some((one) => one.agentId === filled.agentId) ? cause("stood_in") : null;
  }
  if (change.field !== "role_added") return null;
  const stoodIn = standIns.find((one) => one.agentId === change.agentId);
  if (stoodIn) return cause("stood_in", { request: stoodIn.eventId, words: stoodIn.reasoning });
  const found = subs.find((sub) => sub.proposal?.assignments.some((one) => one.agent_id === change.agentId));
  return found ? cause("sub", { reason: found.gapType }) : null;
}

/** Whoever takes over a role came because of what made the one before leave it. */
function replacing(change: Change, all: readonly Change[], background: Background): Cause | null {
  if (change.field !== "role_added") return null;
  const gone = all.find((one) => one.field === "role_removed" && one.concept === change.concept);
  if (!gone) return null;
  const behind = requestBehind(gone, background) ?? leaving(gone, background);
  return cause("replaces", { request: behind?.request ?? null, agentId: gone.agentId });
}

function toldBy(change: Change, { told }: Background): Cause | null {
  const found = told.findLast((one) => one.agentId === change.agentId && one.field === change.field);
  return found ? cause("told", { reason: found.reason }) : null;
}

function asked(
  request: Pick<Answered, "agentId" | "field">,
  reason: string,
  feedback: readonly FeedbackState[],
): Cause {
  const words = feedback.findLast((one) => one.agentId === request.agentId && one.kind === "negotiate");
  return cause("request", {
    request: words?.eventId ?? `${request.agentId}:${request.field}`,
    agentId: request.agentId,
    words: words ? words.request || words.reasoning : "",
    reason,
  });
}

function cause(kind: Cause["kind"], more: Partial<Cause> = {}): Cause {
  return { request: null, agentId: null, words: "", reason: "", ...more, kind };
}
