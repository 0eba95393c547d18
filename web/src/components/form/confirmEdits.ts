/** What a requester changes before a demand goes on: only that is sent. Pure. */

import type { Understanding, UnderstandingEdits } from "../../api/types";
import type { Texts } from "../../i18n";

export const MOST_TAGS = 30;
const MOST_ATTENDEES = 10_000_000;
const NUMBER = /^\d+(?:\.\d+)?$/;

export interface EditDraft {
  readonly capability_tags: readonly string[];
  readonly location: string;
  readonly date: string;
  readonly expected_attendees: string;
  readonly budget: string;
}

export type EditField = keyof EditDraft;
export type EditFaults = Partial<Readonly<Record<EditField, string>>>;

export function draftOf({ capability_tags, context }: Understanding): EditDraft {
  return {
    capability_tags,
    location: context.location ?? "",
    date: context.date ?? "",
    expected_attendees: String(context.expected_attendees ?? ""),
    budget: String(context.budget ?? ""),
  };
}

/** What cannot be meant, before the node is asked; words are for the node to read. */
export function editFaults(draft: EditDraft, texts: Texts["form"]["understanding"]): EditFaults {
  const people = draft.expected_attendees.trim();
  const budget = draft.budget.trim();
  const head = Number(people);
  const heads = people === "" || (Number.isInteger(head) && head >= 1 && head <= MOST_ATTENDEES);
  return {
    ...(draft.capability_tags.length === 0 && { capability_tags: texts.tagsEmpty }),
    ...(!heads && { expected_attendees: texts.attendeesBad }),
    ...(budget.startsWith("-") && { budget: texts.budgetBad }),
  };
}

/** The changed fields alone; one that was emptied is null, which takes the limit away. */
export function editsOf(before: EditDraft, after: EditDraft): UnderstandingEdits {
  const changed = (field: Exclude<EditField, "capability_tags">) =>
    before[field].trim() !== after[field].trim();
  const context = {
    ...(changed("location") && { location: after.location.trim() || null }),
    ...(changed("date") && { date: after.date.trim() || null }),
    ...(changed("expected_attendees") && {
      expected_attendees: after.expected_attendees.trim() ? Number(after.expected_attendees) : null,
    }),
    ...(changed("budget") && { budget: sum(after.budget.trim()) }),
  };
  const sameTags =
    before.capability_tags.length === after.capability_tags.length &&
    before.capability_tags.every((tag, index) => tag === after.capability_tags[index]);
  return {
    ...(!sameTags && { capability_tags: after.capability_tags }),
    ...(Object.keys(context).length > 0 && { context }),
  };
}

function sum(written: string): number | string | null {
  if (written === "") return null;
  return NUMBER.test(written) ? Number(written) : written;
}
