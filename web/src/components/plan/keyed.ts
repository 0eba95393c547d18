/** Items with a key each; those that read the same are told apart by their order. */
export function keyed<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly [string, T])[] {
  const seen = new Map<string, number>();
  return items.map((item) => {
    const key = keyOf(item);
    const times = seen.get(key) ?? 0;
    seen.set(key, times + 1);
    return [times === 0 ? key : `${key} ${times}`, item] as const;
  });
}

/** The same for texts. */
export function keyedTexts(texts: readonly string[]): readonly (readonly [string, string])[] {
  return keyed(texts, (text) => text);
}
