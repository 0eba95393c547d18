import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { useBeside } from "./beside";
import { whyNoSub } from "./whyNoSub";

/** Gaps remain, and nothing further was tried for them: the node's reasons. */
export function NoSubNegotiation({ className }: { readonly className?: string | undefined }) {
  const { subnet: texts } = useTexts().negotiation;
  const over = useNegotiation((state) => state.ending !== null && state.subs.length === 0);
  const reasons = whyNoSub(useBeside().steps.data ?? []);
  if (!over || reasons.length === 0) return null;
  return (
    <div className={className} data-testid="no-subnet">
      <p>{texts.notBegun}</p>
      <ul>
        {reasons.map((reason) => (
          <li key={reason} dir="auto">
            {reason}
          </li>
        ))}
      </ul>
    </div>
  );
}
