import type { Problem } from "../../api/problem";
import { useConnection, useNegotiation } from "../../hooks/useNegotiation";
import { EndCard } from "../plan/EndCard";
import { ProposalCard } from "../plan/ProposalCard";
import { BesideProvider, type Source } from "./beside";
import { CandidateList } from "./CandidateList";
import { CoverageMatrix } from "./CoverageMatrix";
import { FeedbackRounds } from "./FeedbackRounds";
import { Header } from "./Header";
import { History } from "./History";
import { LinksPart } from "./LinksPart";
import styles from "./NegotiationView.module.css";
import { isNone, NoSuchNegotiation } from "./NoSuchNegotiation";
import { ReconnectBanner } from "./ReconnectBanner";
import { StateAnnouncer } from "./StateAnnouncer";
import { StepInspector } from "./StepInspector";
import { SubNegotiations } from "./SubNegotiations";
import { UnderstandingPart } from "./UnderstandingPart";

interface Props {
  /** Where the events in the provider's store come from. */
  readonly source: Source;
  readonly onReconnect?: () => void;
  readonly problem?: Problem | null;
}

/** One negotiation, whole: the same view for a live one and for a replay. Stands inside a NegotiationProvider. */
export function NegotiationView({ source, onReconnect, problem = null }: Props) {
  const phase = useNegotiation((state) => state.phase);
  const nothingYet = useNegotiation((state) => state.demandId === null);
  const lost = useConnection().kind === "lost";
  if (lost && isNone(problem, nothingYet)) return <NoSuchNegotiation problem={problem} again={onReconnect} />;
  return (
    <BesideProvider source={source}>
      <div className={styles.page} data-testid="negotiation-page" data-state={phase}>
        <StateAnnouncer />
        <Header />
        {onReconnect && <ReconnectBanner onReconnect={onReconnect} problem={problem} />}
        <UnderstandingPart as="ask" />
        <LinksPart at="top" />
        <div className={styles.columns}>
          <div className={styles.main}>
            <EndCard />
            <ProposalCard />
            <CoverageMatrix />
            <FeedbackRounds />
            <SubNegotiations />
          </div>
          <div className={styles.side}>
            <LinksPart at="side" />
            <CandidateList />
          </div>
        </div>
        <History />
        <StepInspector />
      </div>
    </BesideProvider>
  );
}
