import type { errors as zh } from "../zh/errors";

export const errors: typeof zh = {
  code: (code: string) => `Error ${code}`,
  retryAfter: (time: string) => `Try again in ${time}`,
  offline: {
    message: "The node cannot be reached",
    why: "The network is down, or the node does not run.",
    hint: "Check the network and whether the node runs, then try again.",
  },
  badAnswer: {
    message: "The node's answer cannot be read",
    why: "It does not have the agreed form; it may come from a proxy in between.",
    hint: "Try again later; if it stays so, tell the administrator of the node.",
  },
};
