import { useId } from "react";
import { useTexts } from "../../i18n";
import styles from "./Examples.module.css";

/** Demands to start from; one press fills the field, nothing is sent. */
export function Examples({ take }: { readonly take: (example: string) => void }) {
  const { form } = useTexts();
  const id = useId();
  return (
    <div>
      <p id={id} className={styles.title}>
        {form.examples}
      </p>
      <ul className={styles.list} aria-labelledby={id}>
        {form.exampleDemands.map((example, index) => (
          <li key={example}>
            <button
              type="button"
              className={styles.example}
              data-testid={`example-${index + 1}`}
              onClick={() => take(example)}
            >
              {example}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
