import { useStore } from "zustand";
import { useNegotiation } from "../../hooks/useNegotiation";
import { session } from "../../state/session";
import { PeopleLinks } from "../form/PeopleLinks";

/** The links of people: at the top for as long as somebody is waited for, else at the side. */
export function LinksPart({ at }: { readonly at: "top" | "side" }) {
  const demandId = useNegotiation((state) => state.demandId);
  const asked = useStore(session, (state) => state.participantLinks[demandId ?? ""]?.length ?? 0);
  const answered = useNegotiation(
    (state) => Object.values(state.candidates).filter((one) => one.person && one.status !== "invited").length,
  );
  const over = useNegotiation((state) => state.ending !== null);
  const until = useNegotiation((state) => state.deadlineAt);
  if (demandId === null || (at === "top") !== (!over && answered < asked)) return null;
  return <PeopleLinks demandId={demandId} until={until} over={over} />;
}
