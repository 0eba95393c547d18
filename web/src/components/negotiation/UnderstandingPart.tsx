import { useState } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Understanding } from "../form/Understanding";
import { useBeside } from "./beside";
import styles from "./UnderstandingPart.module.css";

/** Open while the requester has to confirm it; afterwards it can be looked up. */
export function UnderstandingPart() {
  const { negotiation } = useTexts();
  const demandId = useNegotiation((state) => state.demandId);
  const understanding = useNegotiation((state) => state.understanding);
  const edited = useNegotiation((state) => state.edited);
  const waits = useNegotiation((state) => state.phase === "waiting");
  const { source, demand } = useBeside();
  const [open, setOpen] = useState(false);
  if (demandId === null || understanding === null) return null;
  const panel = (
    <Understanding
      demandId={demandId}
      understanding={understanding}
      source={demand?.source ?? null}
      edited={edited}
      waiting={waits && source === "live"}
    />
  );
  if (waits) return panel;
  return (
    <details className={styles.part} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary data-testid="understanding-toggle">{negotiation.understanding}</summary>
      {open && panel}
    </details>
  );
}
