/** How a language strings parts of a sentence together; empty ones are left out. Pure. */

import type { Lang } from "./language";

/** Parts that could stand alone. */
export function clauses(parts: readonly string[], lang: Lang): string {
  return parts.filter(Boolean).join(lang === "zh" ? "；" : "; ");
}

/** Something, and what it is or why. */
export function told(parts: readonly string[], lang: Lang): string {
  return parts.filter(Boolean).join(lang === "zh" ? "：" : ": ");
}
