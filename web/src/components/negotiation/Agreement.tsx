import { useMemo } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { consentNames } from "../plan/consent";
import { useConsents } from "../plan/useConsents";
import { type Version, versionsOf } from "../plan/versions";
import styles from "./Header.module.css";

/** How far a settled plan was agreed to in words; a full consensus does not ask that of everybody. */
export function Agreement() {
  const plans = useNegotiation((state) => state.plans);
  const ending = useNegotiation((state) => state.ending);
  const last = useMemo(() => versionsOf(plans, ending).at(-1), [plans, ending]);
  return ending?.kind === "finalized" && last ? <Counted version={last} /> : null;
}

function Counted({ version }: { readonly version: Version }) {
  const { more } = useTexts().negotiation;
  const { explicit, stoodIn, bySub, byDefault, unconfirmed } = consentNames(version, useConsents(version));
  const words = explicit.length + stoodIn.length;
  const asked = words + byDefault.length + unconfirmed.length;
  return (
    <span className={styles.more} data-testid="state-agreement">
      {asked > 0 && more.inWords(words, asked)} {bySub.length > 0 && more.bySub(bySub.length)}
    </span>
  );
}
