import { useState } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Understanding } from "../form/Understanding";
import { useBeside } from "./beside";
import styles from "./UnderstandingPart.module.css";

interface Props {
  /** `ask`: shown only while the requester has to confirm it; `lookup`: only at any other time, folded. */
  readonly as: "ask" | "lookup";
}

export function UnderstandingPart({ as }: Props) {
  const { negotiation } = useTexts();
  const demandId = useNegotiation((state) => state.demandId);
  const understanding = useNegotiation((state) => state.understanding);
  const edited = useNegotiation((state) => state.edited);
  const waits = useNegotiation((state) => state.phase === "waiting");
  const { source, demand } = useBeside();
  const [open, setOpen] = useState(false);
  if (demandId === null || understanding === null || waits !== (as === "ask")) return null;
  const panel = (
    <Understanding
      demandId={demandId}
      understanding={understanding}
      source={demand?.source ?? null}
      edited={edited}
      waiting={waits && source === "live"}
    />
  );
  if (as === "ask") return panel;
  return (
    <details className={styles.part} open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary data-testid="understanding-toggle">{negotiation.understanding}</summary>
      {open && panel}
    </details>
  );
}
