import type { join as zh } from "../zh/join";

export const join: typeof zh = {};
