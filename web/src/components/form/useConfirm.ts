import { useState } from "react";
import { client } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import type { Understanding } from "../../api/types";
import { useTexts } from "../../i18n";
import { announce } from "../../ui";
import {
  draftOf,
  type EditDraft,
  type EditFaults,
  type EditField,
  editFaults,
  editsOf,
} from "./confirmEdits";
import { refusedFields } from "./refusedFields";

export interface Confirming {
  readonly draft: EditDraft;
  readonly faults: EditFaults;
  readonly problem: Problem | null;
  readonly busy: boolean;
  /** Confirmed; the stream tells the rest. */
  readonly done: boolean;
  readonly change: (part: Partial<EditDraft>) => void;
  readonly confirm: () => Promise<void>;
}

export function useConfirm(demandId: string, understanding: Understanding): Confirming {
  const { understanding: texts } = useTexts().form;
  const [draft, setDraft] = useState(() => draftOf(understanding));
  const [faults, setFaults] = useState<EditFaults>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [state, setState] = useState<"open" | "busy" | "done">("open");

  const change = (part: Partial<EditDraft>) => {
    setDraft((before) => ({ ...before, ...part }));
    setFaults((before) => without(before, Object.keys(part)));
    setProblem(null);
  };
  const confirm = async () => {
    const found = editFaults(draft, texts);
    setFaults(found);
    if (state !== "open" || Object.keys(found).length > 0) return;
    setState("busy");
    setProblem(null);
    try {
      await client.confirm(demandId, editsOf(draftOf(understanding), draft));
      setState("done");
      announce(texts.confirmed);
    } catch (thrown) {
      const told = asProblem(thrown);
      const refused = onlyKnown(refusedFields(told.why), draft);
      setFaults(refused);
      setProblem(Object.keys(refused).length > 0 ? null : told);
      setState("open");
    }
  };
  return { draft, faults, problem, busy: state === "busy", done: state === "done", change, confirm };
}

function onlyKnown(refused: Readonly<Record<string, string>>, draft: EditDraft): EditFaults {
  return Object.fromEntries(Object.entries(refused).filter(([field]) => field in draft));
}

function without(faults: EditFaults, fields: readonly string[]): EditFaults {
  return Object.fromEntries(Object.entries(faults).filter(([field]) => !fields.includes(field as EditField)));
}
