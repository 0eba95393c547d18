import type { form as zh } from "../zh/form";

export const form: typeof zh = {};
