import type { Understanding as Understood } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { listed } from "../../i18n/formats";
import { Badge, Card, type Tone } from "../../ui";
import { ConfirmForm } from "./ConfirmForm";
import { Limits } from "./Limits";
import styles from "./Understanding.module.css";

export interface UnderstandingProps {
  readonly demandId: string;
  readonly understanding: Understood;
  /** Who understood it: rules, llm, fallback, personal_agent or requester; null where nobody told. */
  readonly source?: string | null;
  /** Fields that the requester replaced, such as `context.date`. */
  readonly edited?: readonly string[];
  /** The demand waits for its requester, who may change it and lets it go on. */
  readonly waiting?: boolean;
}

const TONES: Readonly<Record<Understood["confidence"], Tone>> = { high: "good", medium: "info", low: "warn" };

/** What the node made of a demand; while it waits, the requester corrects and confirms it here. */
export function Understanding({
  demandId,
  understanding,
  source = null,
  edited = [],
  waiting = false,
}: UnderstandingProps) {
  const { understanding: texts } = useTexts().form;
  const { lang } = useLang();
  const told = Object.entries(texts.sources).find(([name]) => name === source)?.[1];
  const { deep_understanding: deep, uncertainties, confidence } = understanding;
  return (
    <Card
      title={waiting ? texts.waitingTitle : texts.title}
      tone={waiting ? "info" : "neutral"}
      data-testid="understanding"
      aside={
        <>
          <Badge tone={TONES[confidence]}>{texts.confidences[confidence]}</Badge>
          {told && <Badge tone={source === "fallback" ? "warn" : "neutral"}>{told}</Badge>}
        </>
      }
    >
      {waiting && <p>{texts.waiting}</p>}
      <p className={styles.surface}>{understanding.surface_demand}</p>
      {deep.motivation && (
        <p>
          <span className={styles.label}>{texts.motivation}</span> {deep.motivation}
        </p>
      )}
      {deep.likely_preferences.length > 0 && (
        <p>
          <span className={styles.label}>{texts.preferences}</span> {listed(deep.likely_preferences, lang)}
        </p>
      )}
      <div>
        <h3 className={styles.label}>{texts.uncertainties}</h3>
        <Lines lines={uncertainties} none={texts.noUncertainties} />
      </div>
      {waiting ? (
        <ConfirmForm key={demandId} demandId={demandId} understanding={understanding} />
      ) : (
        <Limits understanding={understanding} edited={edited} />
      )}
    </Card>
  );
}

function Lines({ lines, none }: { readonly lines: readonly string[]; readonly none: string }) {
  return (
    <div data-testid="understanding-uncertainties">
      {lines.length === 0 && none}
      <ul className={styles.lines}>
        {lines.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </div>
  );
}
