import type { Arity } from './command.ts';

const plural = (count: number): string => (count === 1 ? '1 argument' : `${count} arguments`);

/** What is wrong with the number of arguments, and which word leads to the help page; undefined when it is right. */
export function arityProblem(
  arity: Arity,
  count: number,
): { readonly problem: string; readonly hint: 'Run' | 'See' } | undefined {
  switch (arity.kind) {
    case 'any':
      return undefined;
    case 'none':
      return count === 0 ? undefined : { problem: 'accepts no arguments', hint: 'Run' };
    case 'exactly':
      return count === arity.count ? undefined : { problem: `requires ${plural(arity.count)}`, hint: 'Run' };
    case 'atLeast':
      return count >= arity.count ? undefined : { problem: `requires at least ${plural(arity.count)}`, hint: 'See' };
    case 'atMost':
      return count <= arity.count ? undefined : { problem: `requires at most ${plural(arity.count)}`, hint: 'Run' };
    case 'between':
      if (count >= arity.least && count <= arity.most) return undefined;
      return { problem: `requires at least ${arity.least} and at most ${plural(arity.most)}`, hint: 'Run' };
  }
}
