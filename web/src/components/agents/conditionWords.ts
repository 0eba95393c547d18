import type { AgentView } from "../../api/types";
import type { Lang, Texts } from "../../i18n";
import { listed } from "../../i18n/formats";

type Offer = AgentView["capabilities"]["offers"][number];
type Condition = Offer["conditions"][number];

export function weekdayNames(days: readonly number[], t: Texts["agents"], lang: Lang): string {
  return listed(
    days.map((day) => t.weekday[day] ?? String(day)),
    lang,
  );
}

/** A term of an offer: in its own words where it has some, else in those of its kind. */
export function conditionWords(condition: Condition, t: Texts["agents"], lang: Lang): string {
  if (condition.text) return condition.text;
  const value = condition.value === null || condition.value === undefined ? "" : String(condition.value);
  switch (condition.kind) {
    case "requires":
      return t.condition.requires(condition.tag ?? "");
    case "weekdays":
      return t.condition.weekdays(weekdayNames(condition.values, t, lang));
    case "theme":
      return t.condition.theme(listed(condition.texts, lang));
    default:
      return t.condition[condition.kind](value);
  }
}
