import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import type { Answered } from "./causes";
import { keyed } from "./keyed";
import styles from "./PlanDiff.module.css";

/** Requests that the next version did not meet, each with its reason. */
export function DeclinedRequests({ answered }: { readonly answered: readonly Answered[] }) {
  const { diff } = useTexts().plan;
  const candidates = useNegotiation((state) => state.candidates);
  const declined = answered.filter((one) => !one.granted);
  if (declined.length === 0) return null;
  const value = (one: unknown) => {
    if (one === true) return diff.yes;
    if (one === false) return diff.no;
    return one === null || one === undefined || one === "" ? diff.nothing : String(one);
  };
  return (
    <div data-testid="declined-requests">
      <h4>{diff.declined}</h4>
      <ul className={styles.changes}>
        {keyed(declined, (one) => `${one.agentId} ${one.field} ${String(one.requested)}`).map(
          ([key, { agentId, field, requested, reason }]) => (
            <li key={key} className={styles.change} data-request={`${agentId}:${field}`}>
              <p dir="auto">
                {diff.asked(
                  candidates[agentId]?.displayName ?? agentId,
                  diff.asks[field] ?? field,
                  value(requested),
                )}
              </p>
              <p className={styles.why}>
                {diff.reason} · {reason}
              </p>
            </li>
          ),
        )}
      </ul>
    </div>
  );
}
