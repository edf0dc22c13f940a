// Forms of arguments that several instructions share.

import type { CommandForm, KeyValue } from './instruction.ts';

/** The strings of a JSON array, or undefined where the text is none (then it is shell form, silently). */
export function jsonStrings(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(value) && value.every(v => typeof v === 'string') ? value : undefined;
}

export function commandForm(text: string): CommandForm {
  const args = jsonStrings(text);
  return args === undefined ? { form: 'shell', text } : { form: 'exec', args };
}

/** Splits at white space outside quotes; quotes and escapes stay, for the expansion to take off. */
export function splitWords(text: string, escapeCharacter: string): string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  let begun = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote === '' && /\s/.test(c)) {
      if (begun) words.push(word);
      word = '';
      begun = false;
      continue;
    }
    begun = true;
    word += c;
    if (c === escapeCharacter && quote !== "'" && i + 1 < text.length) word += text[++i];
    else if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '"' || c === "'") quote = c;
  }
  if (begun) words.push(word);
  return words;
}

/** `k=v k2="v 2"`, or the old `k all the rest`; undefined where a pair has no `=`. */
export function keyValues(
  text: string,
  escapeCharacter: string,
): { pairs: KeyValue[]; legacy: boolean } | { missing: string } {
  const words = splitWords(text, escapeCharacter);
  const first = words[0];
  if (first === undefined) return { pairs: [], legacy: false };
  if (!first.includes('=')) {
    const rest = text.slice(text.indexOf(first) + first.length).trim();
    if (rest === '') return { missing: first };
    return { pairs: [{ key: first, value: rest }], legacy: true };
  }
  const pairs: KeyValue[] = [];
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals === -1) return { missing: word };
    pairs.push({ key: word.slice(0, equals), value: word.slice(equals + 1) });
  }
  return { pairs, legacy: false };
}
