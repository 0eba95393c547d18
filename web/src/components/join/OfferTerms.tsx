import { useTexts } from "../../i18n";
import { Field } from "../../ui";
import type { AnswerFaults, OfferDraft } from "./answers";
import { DaysEditor } from "./DaysEditor";
import styles from "./Join.module.css";

export interface OfferTermsProps {
  readonly draft: OfferDraft;
  readonly faults: AnswerFaults;
  readonly change: (part: Partial<OfferDraft>) => void;
}

/** What somebody offers who takes part, and on which terms. */
export function OfferTerms({ draft, faults, change }: OfferTermsProps) {
  const { join } = useTexts();
  return (
    <>
      {draft.decision === "conditional" && (
        <Field label={join.conditions} hint={join.conditionsHint} error={faults.conditions}>
          <textarea
            rows={3}
            data-testid="offer-conditions"
            value={draft.conditions}
            onChange={(event) => change({ conditions: event.target.value })}
          />
        </Field>
      )}
      <Field label={join.contribution} hint={join.contributionHint} error={faults.contribution}>
        <textarea
          rows={2}
          maxLength={2000}
          data-testid="offer-contribution"
          value={draft.contribution}
          onChange={(event) => change({ contribution: event.target.value })}
        />
      </Field>
      <div className={styles.pair}>
        <Field label={join.optional(join.price)} hint={join.priceHint} error={faults.price}>
          <input
            inputMode="decimal"
            autoComplete="off"
            data-testid="offer-price"
            value={draft.price}
            onChange={(event) => change({ price: event.target.value })}
          />
        </Field>
        <Field label={join.currency} error={faults.currency}>
          <input
            maxLength={3}
            autoComplete="off"
            value={draft.currency}
            onChange={(event) => change({ currency: event.target.value.toUpperCase() })}
          />
        </Field>
      </div>
      <Field label={join.optional(join.dates)} hint={join.datesHint} error={faults.dates}>
        <DaysEditor days={draft.dates} change={(dates) => change({ dates })} />
      </Field>
      <Field label={join.optional(join.reasoning)} error={faults.reasoning}>
        <textarea
          rows={2}
          maxLength={2000}
          value={draft.reasoning}
          onChange={(event) => change({ reasoning: event.target.value })}
        />
      </Field>
    </>
  );
}
