import type { Assignment } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { money } from "../../i18n/formats";
import { Badge } from "../../ui";
import styles from "./Join.module.css";

/** What the plan gives the person to do, for which price, and what became of their conditions. */
export function OwnPart({ assignments }: { readonly assignments: readonly Assignment[] }) {
  const { join } = useTexts();
  const { lang } = useLang();
  return (
    <div data-testid="join-part">
      <h3 className={styles.label}>{join.yours}</h3>
      {assignments.length === 0 && <p>{join.nothingYours}</p>}
      {assignments.map((one) => (
        <div key={one.role} className={styles.part}>
          <p>
            <strong>{one.role}</strong> · {one.responsibility}
          </p>
          <p>
            {join.yourPrice} <strong>{money(one.price, one.currency, lang)}</strong>
          </p>
          {one.notes && <p>{one.notes}</p>}
          {one.conditions.length > 0 && (
            <>
              <p className={styles.label}>{join.yourConditions}</p>
              <ul className={styles.lines}>
                {one.conditions.map((condition) => (
                  <li key={condition.text}>
                    {condition.text}{" "}
                    <Badge tone={condition.status === "met" ? "good" : "neutral"}>
                      {join.conditionStates[condition.status]}
                    </Badge>{" "}
                    {condition.reason}
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      ))}
    </div>
  );
}
