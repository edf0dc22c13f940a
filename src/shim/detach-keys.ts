import { InvalidArgument } from '../errdefs/index.ts';

const controls: Readonly<Record<string, number>> = {
  'ctrl-@': 0,
  'ctrl-[': 27,
  'ctrl-\\': 28,
  'ctrl-]': 29,
  'ctrl-^': 30,
  'ctrl-_': 31,
};

/** The shim looks for at most this many. */
const maxKeys = 16;

/** "ctrl-p,ctrl-q" → [16, 17], as moby/term's ToBytes reads it: single characters and ctrl- with a letter or one of @ [ \ ] ^ _. */
export function parseDetachKeys(keys: string): Uint8Array {
  const names = keys.split(',');
  if (names.length > maxKeys) throw new InvalidArgument(`too many detach keys: ${names.length}, at most ${maxKeys}`);
  return Uint8Array.from(names, name => {
    if (name.length === 1 && name.charCodeAt(0) < 0x80) return name.charCodeAt(0);
    const key = name.toLowerCase();
    const letter = /^ctrl-([a-z])$/.exec(key)?.[1];
    const code = letter === undefined ? controls[key] : letter.charCodeAt(0) - 96;
    if (code === undefined) throw new InvalidArgument(`Unknown character: '${key}'`);
    return code;
  });
}
