// Texts as Go prints them, since `docker history` shows them to people and scripts.

/** `["a" "b"]`: Go's %q of a string slice. */
export const goQuotes = (words: readonly string[]): string => `[${words.map(word => JSON.stringify(word)).join(' ')}]`;

/** `[a b]`: Go's %v of a string slice. */
export const goList = (words: readonly string[]): string => `[${words.join(' ')}]`;
