/** The state of the form: a draft, or the profile as written JSON; what is wrong; and the way to the node. */

import { useState } from "react";
import { client } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import type { AgentBody, AgentView } from "../../api/types";
import { type Texts, useTexts } from "../../i18n";
import { isRecord, type Json } from "../../state/read";
import { type AgentDraft, draftOf, fieldOfWrongType, profileOf } from "./draft";
import { draftErrors, type FieldErrors, nodeErrors } from "./draftErrors";

export type FormMode = "form" | "json";

type Words = Texts["agents"]["errors"];

/** The object in a text, or why there is none. */
function parseProfile(text: string, t: Words): Json | string {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : t.jsonObject;
  } catch (thrown) {
    return t.json(thrown instanceof Error ? thrown.message : "");
  }
}

export interface AgentForm {
  readonly draft: AgentDraft;
  readonly mode: FormMode;
  readonly json: string;
  readonly jsonError: string | null;
  readonly errors: FieldErrors;
  readonly problem: Problem | null;
  readonly busy: boolean;
  readonly change: (change: Partial<AgentDraft>) => void;
  readonly write: (json: string) => void;
  readonly switchTo: (mode: FormMode) => void;
  readonly submit: () => Promise<void>;
}

/** `agent` is null for a new one. */
export function useAgentForm(agent: AgentView | null, onSaved: (agent: AgentView) => void): AgentForm {
  const t = useTexts().agents.errors;
  const [draft, setDraft] = useState<AgentDraft>(() => draftOf({ ...agent }));
  const [mode, setMode] = useState<FormMode>("form");
  const [json, setJson] = useState("");
  const [jsonError, setJsonError] = useState<string | null>(null);
  const [errors, setErrors] = useState<FieldErrors>({});
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);

  /** The profile as it stands; null, with the reasons shown, where it cannot be sent. */
  const body = (): AgentBody | null => {
    if (mode === "json") {
      const parsed = parseProfile(json, t);
      setJsonError(typeof parsed === "string" ? parsed : null);
      return typeof parsed === "string" ? null : (parsed as unknown as AgentBody);
    }
    const found = draftErrors(draft, t);
    setErrors(found);
    return Object.keys(found).length > 0 ? null : profileOf(draft);
  };

  const switchTo = (next: FormMode) => {
    if (next === mode) return;
    if (next === "json") {
      setJson(JSON.stringify(profileOf(draft), null, 2));
      setJsonError(null);
      return setMode("json");
    }
    const parsed = parseProfile(json, t);
    const wrong = typeof parsed === "string" ? null : fieldOfWrongType(parsed);
    if (typeof parsed === "string" || wrong !== null) {
      return setJsonError(typeof parsed === "string" ? parsed : t.jsonField(wrong ?? ""));
    }
    setDraft(draftOf(parsed));
    setErrors({});
    setMode("form");
  };

  const submit = async () => {
    setProblem(null);
    const profile = body();
    if (profile === null) return;
    setBusy(true);
    try {
      const saved = agent ? client.editAgent(profile, agent.revision) : client.createAgent(profile);
      onSaved(await saved);
    } catch (thrown) {
      const refused = asProblem(thrown);
      setProblem(refused);
      setErrors(refused.code === "INVALID_INPUT" ? nodeErrors(refused) : {});
    } finally {
      setBusy(false);
    }
  };

  const change = (part: Partial<AgentDraft>) => setDraft((before) => ({ ...before, ...part }));
  return { draft, mode, json, jsonError, errors, problem, busy, change, write: setJson, switchTo, submit };
}
