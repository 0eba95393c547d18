import type { Proposal } from "../../api/types";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useLang, useTexts } from "../../i18n";
import { day, isolated, money } from "../../i18n/formats";
import { plainly } from "../../state/read";
import { labelled } from "../timeline/payload";
import type { Answered } from "./background";
import { keyed } from "./keyed";
import styles from "./PlanDiff.module.css";

const DAYS: ReadonlySet<string> = new Set(["date", "start_date"]);

interface Props {
  readonly answered: readonly Answered[];
  /** The version that did not meet them. */
  readonly plan: Proposal;
}

/** Requests that the next version did not meet, each with its reason. */
export function DeclinedRequests({ answered, plan }: Props) {
  const { diff } = useTexts().plan;
  const { lang } = useLang();
  const candidates = useNegotiation((state) => state.candidates);
  const declined = answered.filter((one) => !one.granted);
  if (declined.length === 0) return null;
  const currencyOf = (id: string) =>
    plan.assignments.find((one) => one.agent_id === id)?.currency ?? plan.cost.currency;
  const value = ({ agentId, field, requested: wish }: Answered) => {
    if (wish === true) return diff.yes;
    if (wish === false) return diff.no;
    if (field === "price" && typeof wish === "number") return money(wish, currencyOf(agentId), lang);
    if (DAYS.has(field) && typeof wish === "string") return day(wish, lang);
    return wish === null || wish === undefined || wish === "" ? diff.nothing : isolated(plainly(wish));
  };
  return (
    <div data-testid="declined-requests">
      <h4>{diff.declined}</h4>
      <ul className={styles.changes}>
        {keyed(declined, (one) => `${one.agentId} ${one.field} ${plainly(one.requested)}`).map(
          ([key, one]) => (
            <li key={key} className={styles.change} data-request={`${one.agentId}:${one.field}`}>
              <p dir="auto">
                {diff.asked(
                  isolated(candidates[one.agentId]?.displayName ?? one.agentId),
                  isolated(labelled(diff.asks, one.field)),
                  value(one),
                )}
              </p>
              <p className={styles.why}>
                {diff.reason} · <bdi>{one.reason}</bdi>
              </p>
            </li>
          ),
        )}
      </ul>
    </div>
  );
}
