const TOLD = /^([a-z_]+(?:\.[a-z_0-9]+)*)\s*[:：]?\s*(.+)$/;

/**
 * What a refusal says of single fields: the node names each by its path, "understanding.context.date: …; …".
 * A path ends in the field's own name, under which its words are found; an index of a list is left out.
 */
export function refusedFields(why: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const part of why.split(/[;；]\s*/)) {
    const [, path = "", words = ""] = TOLD.exec(part.trim()) ?? [];
    const field = path
      .split(".")
      .filter((one) => Number.isNaN(Number(one)))
      .at(-1);
    if (field && words) found[field] ??= words;
  }
  return found;
}
