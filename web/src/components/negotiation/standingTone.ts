import type { Condition } from "../../state/model";
import type { Tone } from "../../ui/Badge";
import type { Standing } from "./standing";

export const STANDING_TONE: Readonly<Record<Standing, Tone>> = {
  in_plan: "good",
  participate: "good",
  conditional: "warn",
  not_chosen: "neutral",
  invited: "info",
  decline: "neutral",
  silent: "neutral",
  unknown: "warn",
  withdrawn: "bad",
  reserve: "neutral",
};

export const FATE_TONE: Readonly<Record<Condition["status"], Tone>> = {
  open: "neutral",
  met: "good",
  declined: "bad",
};
