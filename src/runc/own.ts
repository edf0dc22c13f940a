/** Looks a word of a spec up in a table: `constructor` and the like are in no table. */
export const own = <T>(table: Readonly<Record<string, T>>, word: string): T | undefined =>
  Object.hasOwn(table, word) ? table[word] : undefined;
