import { memo, useState } from "react";
import type { Step } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { count, modelCost, span } from "../../i18n/formats";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { CodeBlock } from "../../ui/CodeBlock";
import styles from "./StepInspector.module.css";

const COLUMNS = 9;

export const StepRow = memo(function StepRow({ step }: { readonly step: Step }) {
  const { steps: texts } = useTexts().negotiation;
  const { lang } = useLang();
  const [open, setOpen] = useState(false);
  const name = texts.prompt[step.prompt] ?? step.prompt;
  const asked = step.requests > 0;
  const seconds = step.seconds ?? null;
  const { cost_usd: cost = null } = step;
  const price = cost === null ? texts.unpriced : modelCost(cost, lang);
  return (
    <>
      <tr data-testid={`step-${step.key}`} data-source={step.source}>
        <td className={styles.number}>{step.number}</td>
        <th scope="row">
          {name}
          {step.round != null && <span className={styles.round}>{texts.round(step.round)}</span>}
        </th>
        <td dir="auto">{step.display_name || step.agent_id || texts.node}</td>
        <td>{brainOf(step, texts.brain)}</td>
        <td className={styles.figure}>{seconds === null ? "–" : span(Number(seconds.toFixed(2)), lang)}</td>
        <td className={styles.figure}>
          {asked ? `${count(step.input_tokens, lang)} / ${count(step.output_tokens, lang)}` : "–"}
        </td>
        <td className={styles.figure}>{asked ? price : "–"}</td>
        <td>
          <Remarks step={step} />
        </td>
        <td>
          {step.result == null ? (
            <span className={styles.note}>{texts.waiting}</span>
          ) : (
            <Button
              size="s"
              variant="ghost"
              aria-expanded={open}
              aria-label={`${open ? texts.hide : texts.show}: ${name} ${step.display_name}`}
              onClick={() => setOpen(!open)}
            >
              {open ? texts.hide : texts.show}
            </Button>
          )}
        </td>
      </tr>
      {open && step.result != null && (
        <tr>
          <td colSpan={COLUMNS}>
            <CodeBlock
              value={step.result}
              label={`${name} ${step.key}`}
              data-testid={`step-result-${step.key}`}
            />
          </td>
        </tr>
      )}
    </>
  );
});

function Remarks({ step }: { readonly step: Step }) {
  const { steps: texts } = useTexts().negotiation;
  const { repaired, degraded, error, requests } = step;
  return (
    <span className={styles.remarks}>
      {repaired && (
        <Badge tone="info" title={texts.repairedTitle(requests)}>
          {texts.repaired}
        </Badge>
      )}
      {degraded && <Badge tone="warn">{texts.degraded(error?.code ?? "")}</Badge>}
      {error?.message && <span className={styles.error}>{error.message}</span>}
    </span>
  );
}

interface Brains {
  readonly rules: string;
  readonly llm: string;
  readonly fallback: string;
  readonly personal_agent: string;
  readonly requester: string;
  readonly none: string;
}

function brainOf({ source, model }: Step, words: Brains): string {
  const word = source ? words[source] : words.none;
  return model ? `${word} · ${model}` : word;
}
