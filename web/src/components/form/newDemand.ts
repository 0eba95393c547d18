/** What the form holds, and what of it is sent. Pure. */

import type { NewDemand } from "../../api/types";
import type { Texts } from "../../i18n";

export const MOST_CHARACTERS = 10_000;
export const MOST_PEOPLE = 10;
export const MOST_PERSON_TAGS = 10;
export const MOST_TAG_LENGTH = 60;
const MOST_NAME_LENGTH = 80;

export interface PersonDraft {
  /** Only for the page: tells rows apart. */
  readonly key: number;
  readonly name: string;
  readonly tags: readonly string[];
}

export interface DemandDraft {
  readonly words: string;
  readonly people: readonly PersonDraft[];
  readonly confirm: boolean;
}

export interface PersonFaults {
  readonly name?: string;
  readonly tags?: string;
}

/** By the key of the row. */
export interface Faults {
  readonly words: string | null;
  readonly people: Readonly<Record<number, PersonFaults>>;
}

/** Characters as the node counts them: an emoji is one, not two. */
export function characters(words: string): number {
  return [...words].length;
}

export function faultsOf(draft: DemandDraft, texts: Texts["form"], most: (over: number) => string): Faults {
  const over = characters(draft.words) - MOST_CHARACTERS;
  const words = draft.words.trim() === "" ? texts.empty : over > 0 ? texts.tooLong(most(over)) : null;
  const people = draft.people.filter(named).map((one) => [one.key, personFaults(one, texts)] as const);
  return { words, people: Object.fromEntries(people.filter(([, fault]) => fault.name || fault.tags)) };
}

export function sound(faults: Faults): boolean {
  return faults.words === null && Object.keys(faults.people).length === 0;
}

/** The body of the submission; rows that were left empty are nobody. */
export function demandBody({ words, people, confirm }: DemandDraft): NewDemand {
  const invited = people.filter(named).map(({ name, tags }) => ({
    display_name: name.trim(),
    capability_tags: tags,
  }));
  return {
    raw_input: words,
    ...(confirm && { confirm: true }),
    ...(invited.length > 0 && { participants: invited }),
  };
}

/** The links for people, from the tokens in the reply, which stand in the order of the people that were sent. */
export function linksOf(
  body: NewDemand,
  channelId: string,
  tokens: Readonly<Record<string, string>>,
  linkTo: (channelId: string, token: string) => string,
): { readonly name: string; readonly url: string }[] {
  return Object.values(tokens).map((token, index) => ({
    name: body.participants?.[index]?.display_name ?? "",
    url: linkTo(channelId, token),
  }));
}

function named({ name, tags }: PersonDraft): boolean {
  return name.trim() !== "" || tags.length > 0;
}

function personFaults({ name, tags }: PersonDraft, texts: Texts["form"]): PersonFaults {
  return {
    ...(name.trim() === "" && { name: texts.nameMissing }),
    ...(characters(name.trim()) > MOST_NAME_LENGTH && { name: texts.nameLong }),
    ...(tags.length === 0 && { tags: texts.tagsMissing }),
  };
}
