import { useEffect, useState } from "react";
import { asProblem, OFFLINE, type Problem } from "../../api/problem";
import type { Invitation } from "../../api/types";
import { useTexts } from "../../i18n";
import { announce } from "../../ui";
import { refusedFields } from "../form/refusedFields";
import type { Answer, AnswerFaults } from "./answers";

export interface Answering {
  readonly busy: boolean;
  readonly problem: Problem | null;
  readonly faults: AnswerFaults;
  /** Refuse it here, before the node is asked. */
  readonly refuse: (faults: AnswerFaults) => boolean;
  /** Something was changed: what was said of it before does not hold any more. */
  readonly changed: () => void;
  readonly send: (answer: Answer, request: () => Promise<unknown>) => Promise<void>;
}

/** One answer to one question; the node's refusals stand at their fields where it names them. */
export function useAnswer(
  invitation: Invitation,
  fields: readonly string[],
  counted: (answer: Answer) => void,
): Answering {
  const { join } = useTexts();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [faults, setFaults] = useState<AnswerFaults>({});

  // Another look that came through: the node is there again.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each look brings another invitation
  useEffect(() => setProblem((before) => (before?.code === OFFLINE ? null : before)), [invitation]);

  const refuse = (found: AnswerFaults) => {
    setFaults(found);
    return Object.keys(found).length > 0;
  };
  const send = async (answer: Answer, request: () => Promise<unknown>) => {
    if (busy) return;
    setBusy(true);
    setProblem(null);
    try {
      await request();
      announce(join.counted[answer]);
      counted(answer);
    } catch (thrown) {
      const told = asProblem(thrown);
      const refused = Object.entries(refusedFields(told.why)).filter(([field]) => fields.includes(field));
      const atField = told.status === 400 && refused.length > 0;
      setFaults(atField ? Object.fromEntries(refused) : {});
      setProblem(atField ? null : told);
    } finally {
      setBusy(false);
    }
  };
  const changed = () => setProblem(null);
  return { busy, problem, faults, refuse, changed, send };
}
