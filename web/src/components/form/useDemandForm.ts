import { useEffect, useState } from "react";
import { client } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import { go, hrefTo } from "../../hooks/useHashRoute";
import { useLang, useTexts } from "../../i18n";
import { count } from "../../i18n/formats";
import { session } from "../../state/session";
import { announce } from "../../ui";
import { beginWith, firstWords } from "./draft";
import { type DemandDraft, demandBody, type Faults, faultsOf, linksOf, sound } from "./newDemand";

const NO_FAULTS: Faults = { words: null, people: {} };

export interface DemandForm {
  readonly draft: DemandDraft;
  readonly faults: Faults;
  readonly problem: Problem | null;
  readonly busy: boolean;
  readonly change: (part: Partial<DemandDraft>) => void;
  /** False when it was not sent since something is missing. */
  readonly submit: () => boolean;
}

export function useDemandForm(): DemandForm {
  const { form } = useTexts();
  const { lang } = useLang();
  const [draft, setDraft] = useState<DemandDraft>(() => ({
    words: firstWords(),
    people: [],
    confirm: false,
  }));
  const [checked, setChecked] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => beginWith(""), []);
  const faults = faultsOf(draft, form, (over) => count(over, lang));

  const change = (part: Partial<DemandDraft>) => {
    setDraft((before) => ({ ...before, ...part }));
    setProblem(null);
    if ("words" in part) setChecked(false); // a reproach goes once it is answered
  };
  const send = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const demandId = await sendDemand(draft);
      announce(form.submitted);
      go({ page: "negotiation", demandId });
    } catch (thrown) {
      setProblem(asProblem(thrown));
    } finally {
      setBusy(false);
    }
  };
  const submit = () => {
    setChecked(true);
    if (busy || !sound(faults)) return busy;
    void send();
    return true;
  };
  return { draft, faults: checked ? faults : NO_FAULTS, problem, busy, change, submit };
}

/** The id of the demand; the links of its people are kept for the pages that follow. */
async function sendDemand(draft: DemandDraft): Promise<string> {
  const body = demandBody(draft);
  const reply = await client.submit(body);
  const links = linksOf(body, reply.channel_id, reply.participant_tokens, joinLink);
  if (links.length > 0) session.getState().setParticipantLinks(reply.demand_id, links);
  return reply.demand_id;
}

function joinLink(channelId: string, token: string): string {
  return new URL(hrefTo({ page: "join", channelId, token }), window.location.href).href;
}
