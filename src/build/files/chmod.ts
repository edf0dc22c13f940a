import { InvalidArgument } from '../../errdefs/index.ts';

/** Applies `0644` or symbolic changes (`u+x,go-w`) to permission bits, as chmod(1) does. */
export function applyChmod(text: string, mode: number, isDirectory: boolean): number {
  if (/^[0-7]{3,5}$/.test(text)) return Number.parseInt(text, 8) & 0o7777;
  let bits = mode & 0o7777;
  for (const clause of text.split(',')) {
    const match = clause.match(/^([ugoa]*)((?:[-+=][rwxXst]*)+)$/);
    if (match === null) throw new InvalidArgument(`invalid chmod parameter: '${text}'`);
    const who = match[1] === '' || match[1]!.includes('a') ? 'ugo' : match[1]!;
    for (const [, operator, permissions] of match[2]!.matchAll(/([-+=])([rwxXst]*)/g)) {
      let set = 0;
      let scope = 0;
      for (const [letter, shift] of [
        ['u', 6],
        ['g', 3],
        ['o', 0],
      ] as const) {
        if (!who.includes(letter)) continue;
        scope |= 7 << shift;
        for (const permission of permissions!) {
          if (permission === 'r') set |= 4 << shift;
          else if (permission === 'w') set |= 2 << shift;
          else if (permission === 'x') set |= 1 << shift;
          else if (permission === 'X' && (isDirectory || (mode & 0o111) !== 0)) set |= 1 << shift;
          else if (permission === 's' && letter !== 'o') set |= letter === 'u' ? 0o4000 : 0o2000;
        }
      }
      if (permissions!.includes('t')) set |= 0o1000;
      if (operator === '+') bits |= set;
      else if (operator === '-') bits &= ~set;
      else bits = (bits & ~scope) | set;
    }
  }
  return bits;
}
