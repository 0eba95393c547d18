/** What a person writes, and what of it is sent. Pure. */

import type { FeedbackBody, OfferBody } from "../../api/types";
import type { Texts } from "../../i18n";

export type Decision = OfferBody["decision"];
export type Answer = Decision | "accept" | "negotiate" | "withdraw";

/** What comes after an answer that counts. */
export function afterwards(answer: Answer, last: boolean): "asked" | "changed" | "last" | "gone" {
  if (answer === "decline" || answer === "withdraw") return "gone";
  if (last) return "last";
  return answer === "accept" || answer === "negotiate" ? "changed" : "asked";
}

export interface OfferDraft {
  readonly decision: Decision;
  readonly contribution: string;
  readonly price: string;
  readonly currency: string;
  readonly dates: readonly string[];
  readonly conditions: string;
  readonly declineReason: string;
  readonly reasoning: string;
}

export interface ChangeDraft {
  readonly price: string;
  readonly date: string;
  readonly requires: string;
  readonly dropRole: string;
  readonly words: string;
}

/** By the name that the node gives a field. */
export type AnswerFaults = Readonly<Record<string, string>>;

const SUM = /^\d+(?:\.\d{1,2})?$/;

export function offerFaults(draft: OfferDraft, texts: Texts["join"]): AnswerFaults {
  if (draft.decision === "decline") return {};
  return {
    ...(draft.contribution.trim() === "" && { contribution: texts.contributionEmpty }),
    ...(!sumOrNothing(draft.price) && { price: texts.priceBad }),
    ...(draft.decision === "conditional" &&
      lines(draft.conditions).length === 0 && { conditions: texts.conditionsEmpty }),
  };
}

/** Who declines names no price, day or condition; the others no reason for declining. */
export function offerBody(draft: OfferDraft, round: number): OfferBody {
  const { decision, currency, dates } = draft;
  const said = { decision, ...(round > 0 && { round }) };
  if (decision === "decline") return { ...said, ...words("decline_reason", draft.declineReason) };
  return {
    ...said,
    contribution: draft.contribution.trim(),
    ...(draft.price.trim() && { price: Number(draft.price), currency }),
    ...(dates.length > 0 && { dates: [...dates].sort() }),
    ...(decision === "conditional" && { conditions: lines(draft.conditions) }),
    ...words("reasoning", draft.reasoning),
  };
}

export function changeFaults(draft: ChangeDraft, texts: Texts["join"]): AnswerFaults {
  const nothing = Object.values(draft).every((one) => one.trim() === "");
  return {
    ...(!sumOrNothing(draft.price) && { price: texts.priceBad }),
    ...(nothing && { adjustment_request: texts.changes.empty }),
  };
}

export function changeBody(draft: ChangeDraft, round: number): FeedbackBody {
  const { price, date, requires, dropRole } = draft;
  const changes = {
    ...(price.trim() && { price: Number(price) }),
    ...words("date", date),
    ...words("requires", requires),
    ...words("drop_role", dropRole),
  };
  return {
    feedback_type: "negotiate",
    round,
    ...(Object.keys(changes).length > 0 && { proposed_changes: changes }),
    ...words("adjustment_request", draft.words),
  };
}

function words<Name extends string>(name: Name, written: string): Partial<Record<Name, string>> {
  const said = written.trim();
  return said ? ({ [name]: said } as Record<Name, string>) : {};
}

function lines(written: string): string[] {
  return written
    .split("\n")
    .map((one) => one.trim())
    .filter(Boolean);
}

function sumOrNothing(written: string): boolean {
  return written.trim() === "" || SUM.test(written.trim());
}
