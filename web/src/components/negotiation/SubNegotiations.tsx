import { useNegotiation } from "../../hooks/useNegotiation";
import { SubNegotiation } from "./SubNegotiation";

/** The negotiations that were begun to close a gap of this one; their depth is 1. */
export function SubNegotiations() {
  const subs = useNegotiation((state) => state.subs);
  return subs.map((sub) => <SubNegotiation key={sub.demandId} sub={sub} />);
}
