import type { AgentView } from "../../api/types";
import type { Texts } from "../../i18n";

type Offer = AgentView["capabilities"]["offers"][number];
type Condition = Offer["conditions"][number];

export function weekdayNames(days: readonly number[], t: Texts["agents"]): string {
  return days.map((day) => t.weekday[day] ?? String(day)).join(", ");
}

/** A term of an offer: in its own words where it has some, else in those of its kind. */
export function conditionWords(condition: Condition, t: Texts["agents"]): string {
  if (condition.text) return condition.text;
  const value = condition.value === null || condition.value === undefined ? "" : String(condition.value);
  switch (condition.kind) {
    case "requires":
      return t.condition.requires(condition.tag ?? "");
    case "weekdays":
      return t.condition.weekdays(weekdayNames(condition.values, t));
    case "theme":
      return t.condition.theme(condition.texts.join(", "));
    default:
      return t.condition[condition.kind](value);
  }
}
