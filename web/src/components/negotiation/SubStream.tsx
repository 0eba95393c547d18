import { useState } from "react";
import { NegotiationProvider, useNegotiation } from "../../hooks/useNegotiation";
import { useSSE } from "../../hooks/useSSE";
import { useTexts } from "../../i18n";
import { createNegotiationStore } from "../../state/store";
import { ProposalSummary } from "../plan/ProposalSummary";
import { currentProposal } from "../plan/versions";
import { ConnectionBadge } from "./ConnectionBadge";
import { History } from "./History";
import { RoundMarker } from "./RoundMarker";
import { StateLine } from "./StateLine";
import styles from "./SubNegotiation.module.css";

/** A sub-negotiation with a stream and a store of its own, for as long as it is open. */
export function SubStream({ demandId }: { readonly demandId: string }) {
  const [store] = useState(createNegotiationStore);
  useSSE(demandId, store);
  return (
    <NegotiationProvider store={store}>
      <Child />
    </NegotiationProvider>
  );
}

function Child() {
  const { subnet: texts } = useTexts().negotiation;
  const candidates = useNegotiation((state) => state.candidateOrder.length);
  const phase = useNegotiation((state) => state.phase);
  const proposal = useNegotiation((state) => currentProposal(state.plans, state.ending));
  return (
    <div className={styles.body} data-testid="subnet-body" data-state={phase}>
      <StateLine />
      <p className={styles.facts}>
        <RoundMarker />
        <span data-testid="subnet-candidates">{texts.candidates(candidates)}</span>
        <ConnectionBadge />
      </p>
      {proposal ? <ProposalSummary proposal={proposal} /> : <p className={styles.note}>{texts.noPlan}</p>}
      <History compact />
    </div>
  );
}
