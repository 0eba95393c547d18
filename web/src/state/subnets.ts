/** Gaps, and the sub-negotiations that are to close them. */

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
    return { ...state, subs: [...state.subs.filter((sub) => sub.demandId !== begun.demandId), begun] };
  },

  "towow.subnet.completed": (state, payload) => {
    const outcome = oneOf(payload.outcome, ["finalized", "failed", "timeout"], "failed");
    const found = proposal(payload.proposal);
    const subs = state.subs.map((sub) =>
      sub.demandId === payload.sub_demand_id ? { ...sub, outcome, proposal: found } : sub,
    );
    return { ...state, subs };
  },
};
