/** One challenge of `WWW-Authenticate` (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const scheme = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:[ \t]+|$|(?=[ \t]*,))/y;
const parameter = /([A-Za-z0-9!#$%&'*+.^_`|~-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;
const separator = /[ \t]*(?:,[ \t]*)*/y;

/** Reads all challenges of a header, several of them in one line too. What is malformed ends the reading. */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  if (header === undefined) return [];
  return (typeof header === 'string' ? [header] : header).flatMap(parseLine);
}

function parseLine(line: string): Challenge[] {
  const challenges: Challenge[] = [];
  let parameters: Record<string, string> | undefined;
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(line);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (at < line.length && challenges.length < 16) {
    match(separator);
    const pair = match(parameter);
    if (pair !== null && parameters !== undefined) {
      const quoted = pair[2]?.replace(/\\(.)/g, '$1');
      parameters[(pair[1] as string).toLowerCase()] = quoted ?? (pair[3] as string);
      continue;
    }
    if (pair !== null) break;
    const name = match(scheme);
    if (name === null) break;
    parameters = Object.create(null) as Record<string, string>;
    challenges.push({ scheme: (name[1] as string).toLowerCase(), parameters });
  }
  return challenges;
}
