import { useMemo } from "react";
import type { DemandView, Step } from "../../api/types";
import { useConnection, useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { useBeside } from "./beside";
import { Explained } from "./Explained";
import { ReplayMark } from "./ReplayMark";

/** DEGRADED and REPLAY, each with what it means here; in a replay the connection's badge is the mark. */
export function Marks() {
  const degraded = useNegotiation((state) => state.degraded);
  const replayed = useConnection().kind === "replay";
  return (
    <>
      {degraded && <Degraded />}
      {!replayed && <ReplayMark />}
    </>
  );
}

function Degraded() {
  const { degraded: texts, steps: stepTexts } = useTexts().negotiation;
  const { demand, steps } = useBeside();
  const told = useNegotiation((state) => state.ending?.degradedSteps);
  const found = useMemo(
    () => degradedSteps(demand, steps.data ?? [], told ?? []),
    [demand, steps.data, told],
  );
  const name = (prompt: string) => stepTexts.prompt[prompt] ?? prompt;
  return (
    <Explained badge={texts.badge} tone="warn" testId="badge-degraded">
      <strong>{texts.title}</strong>
      <p>{texts.text}</p>
      <ul>
        {found.map(({ prompt, code, count }) => (
          <li key={`${prompt} ${code}`}>{texts.step(name(prompt), count, code)}</li>
        ))}
        {found.length === 0 && <li>{texts.unnamed}</li>}
      </ul>
    </Explained>
  );
}

interface Degradation {
  readonly prompt: string;
  readonly code: string;
  readonly count: number;
}

/** As the node counts them; else from its steps; else only their names, which the last event told. */
export function degradedSteps(
  demand: DemandView | null,
  steps: readonly Step[],
  told: readonly string[],
): readonly Degradation[] {
  if (demand && demand.degraded_steps.length > 0) return demand.degraded_steps;
  const counts = new Map<string, Degradation>();
  for (const step of steps.filter((one) => one.degraded)) {
    const code = step.error?.code ?? "";
    const before = counts.get(`${step.prompt} ${code}`)?.count ?? 0;
    counts.set(`${step.prompt} ${code}`, { prompt: step.prompt, code, count: before + 1 });
  }
  if (counts.size > 0) return [...counts.values()];
  return [...new Set(told)].map((prompt) => ({ prompt, code: "", count: 1 }));
}
