/** Gaps, and the sub-negotiations that are to close them. */

import { MOST_SUBS } from "./bounds";
import type { Reducers } from "./events";
import { list, oneOf, str } from "./read";
import { gap, proposal } from "./shapes";

type Group = "towow.gap.identified" | "towow.subnet.triggered" | "towow.subnet.completed";

export const SUBNETS: Reducers<Group> = {
  "towow.gap.identified": (state, payload) => ({ ...state, gaps: list(payload.gaps).map(gap) }),

  "towow.subnet.triggered": (state, payload) => {
    const begun = {
      demandId: str(payload.sub_demand_id),
      channelId: str(payload.sub_channel_id),
      gapType: str(payload.gap_type),
      outcome: "running",
      proposal: null,
    } as const;
    const others = state.subs.filter((sub) => sub.demandId !== begun.demandId);
    if (others.length >= MOST_SUBS) return { ...state, leftOut: state.leftOut + 1 };
    return { ...state, subs: [...others, begun] };
  },

  "towow.subnet.completed": (state, payload) => {
    const outcome = oneOf(payload.outcome, ["finalized", "failed", "timeout"], "failed");
    const found = proposal(payload.proposal);
    const id = str(payload.sub_demand_id);
    const subs = state.subs.map((sub) => (sub.demandId === id ? { ...sub, outcome, proposal: found } : sub));
    return { ...state, subs };
  },
};
