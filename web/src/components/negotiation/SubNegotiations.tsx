import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Card } from "../../ui/Card";
import { SubNegotiation } from "./SubNegotiation";

/** The negotiations that were begun to close a gap of this one; their depth is 1. */
export function SubNegotiations() {
  const { subnet: texts } = useTexts().negotiation;
  const subs = useNegotiation((state) => state.subs);
  if (subs.length === 0) return null;
  return (
    <Card title={texts.all} data-testid="sub-negotiations">
      {subs.map((sub) => (
        <SubNegotiation key={sub.demandId} sub={sub} />
      ))}
    </Card>
  );
}
