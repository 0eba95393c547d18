import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { Icon } from "../../ui/Icon";
import styles from "./Agents.module.css";
import type { OfferDraft } from "./draft";
import type { FieldErrors } from "./draftErrors";

const UNITS = ["event", "person", "hour", "day"] as const;

export interface OfferFieldsProps {
  readonly offer: OfferDraft;
  readonly index: number;
  readonly errors: FieldErrors;
  readonly onChange: (offer: OfferDraft) => void;
  readonly onRemove: () => void;
}

/** One capability with its price. */
export function OfferFields({ offer, index, errors, onChange, onRemove }: OfferFieldsProps) {
  const { agents: t } = useTexts();
  const error = (field: string) => errors[`capabilities.offers[${index}].${field}`];
  const text = (key: "tag" | "title" | "price" | "currency" | "capacity") => ({
    value: offer[key],
    "data-testid": `offer-${index}-${key}`,
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => onChange({ ...offer, [key]: event.target.value }),
  });
  return (
    <fieldset className={styles.offer} aria-label={t.offerNumber(index + 1)}>
      <div className={styles.offerHead}>
        {t.offerNumber(index + 1)}
        <Button size="s" variant="ghost" aria-label={t.removeOffer(index + 1)} onClick={onRemove}>
          <Icon name="cross" />
        </Button>
      </div>
      <Field label={t.offerTag} error={error("tag")}>
        <input {...text("tag")} />
      </Field>
      <Field label={t.offerTitle} error={error("title")}>
        <input {...text("title")} />
      </Field>
      <Field label={t.price} error={error("price")}>
        <input {...text("price")} inputMode="decimal" />
      </Field>
      <Field label={t.currency} error={error("currency")}>
        <input {...text("currency")} maxLength={3} />
      </Field>
      <Field label={t.unit}>
        <select value={offer.unit} onChange={(event) => onChange({ ...offer, unit: event.target.value })}>
          {UNITS.map((unit) => (
            <option key={unit} value={unit}>
              {t.units[unit]}
            </option>
          ))}
        </select>
      </Field>
      <Field label={t.capacity} hint={t.emptyMeansAny} error={error("capacity")}>
        <input {...text("capacity")} inputMode="numeric" />
      </Field>
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={offer.remote}
          onChange={(event) => onChange({ ...offer, remote: event.target.checked })}
        />
        {t.remote}
      </label>
    </fieldset>
  );
}
