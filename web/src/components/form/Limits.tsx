import type { Understanding } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { Badge } from "../../ui";
import { limitsOf } from "./limits";
import styles from "./Understanding.module.css";

export interface LimitsProps {
  readonly understanding: Understanding;
  readonly edited: readonly string[];
}

/** What is needed and within which limits, to be read. */
export function Limits({ understanding, edited }: LimitsProps) {
  const { understanding: texts } = useTexts().form;
  const { lang } = useLang();
  const tags = understanding.capability_tags;
  return (
    <>
      <div>
        <h3 className={styles.label}>
          {texts.tags} {edited.includes("capability_tags") && <Badge>{texts.edited}</Badge>}
        </h3>
        <ul className={styles.tags} data-testid="understanding-tags">
          {tags.map((tag) => (
            <li key={tag}>{tag}</li>
          ))}
          {tags.length === 0 && <li className={styles.none}>{texts.noTags}</li>}
        </ul>
      </div>
      <dl className={styles.limits} data-testid="understanding-constraints" aria-label={texts.constraints}>
        {limitsOf(understanding, texts, lang).map(({ field, label, value }) => (
          <div key={field}>
            <dt className={styles.label}>{label}</dt>
            <dd className={value === null ? styles.none : undefined}>
              {value ?? texts.open} {edited.includes(`context.${field}`) && <Badge>{texts.edited}</Badge>}
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}
