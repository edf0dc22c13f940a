// Who a container runs as: `User` looked up in the image's own passwd and group files (libcontainer's user package, GetExecUser).

import { InvalidArgument } from '../../../errdefs/index.ts';

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const maxId = 2 ** 31 - 1;

/** Resolves `user[:group]`, names or numbers, and `--group-add`. The texts are those of the image's files, '' where there is none. */
export function resolveUser(
  spec: string,
  groupAdd: readonly string[],
  passwdText: string,
  groupText: string,
): ResolvedUser {
  const at = spec.indexOf(':');
  const userPart = at < 0 ? spec : spec.slice(0, at);
  const groupPart = at < 0 ? '' : spec.slice(at + 1);
  const passwd = parsePasswd(passwdText);
  const groups = groupText === '' ? [] : parseGroups(groupText);

  const uidNumber = numeric(userPart);
  const entry =
    userPart === ''
      ? passwd.find(user => user.uid === 0)
      : (passwd.find(user => user.name === userPart) ?? passwd.find(user => user.uid === uidNumber));
  if (entry === undefined && userPart !== '' && uidNumber === undefined) {
    throw new InvalidArgument(`unable to find user ${userPart}: no matching entries in passwd file`);
  }
  const uid = entry?.uid ?? uidNumber ?? 0;
  if (uid < 0 || uid > maxId) throw new InvalidArgument('uids and gids must be in range 0-2147483647');

  let gid = entry?.gid ?? 0;
  let supplementary: number[] = [];
  if (groupPart !== '') {
    // A named group takes the place of the user's own and of all groups that list him.
    gid = groupId(groupPart, groups);
  } else if (entry !== undefined) {
    supplementary = groups.filter(group => group.members.includes(entry.name)).map(group => group.gid);
  }
  const added = groupAdd.map(name => groupId(name, groups));
  return {
    uid,
    gid,
    // The primary group is among them, so that dropping the others does not lift a "deny this group" rule (CVE-2022-2995).
    additionalGids: [...new Set([gid, ...supplementary, ...added])],
    home: entry?.home ?? '/',
  };
}

function groupId(text: string, groups: readonly GroupEntry[]): number {
  const number = numeric(text);
  const group = groups.find(candidate => candidate.name === text);
  if (group !== undefined) return group.gid;
  if (number === undefined)
    throw new InvalidArgument(`unable to find group ${text}: no matching entries in group file`);
  if (number < 0 || number > maxId) throw new InvalidArgument('uids and gids must be in range 0-2147483647');
  return number;
}

const numeric = (text: string): number | undefined => (/^-?\d{1,15}$/.test(text) ? Number(text) : undefined);

function* lines(text: string): Generator<string[]> {
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed !== '' && !trimmed.startsWith('#')) yield trimmed.split(':');
  }
}

function parsePasswd(text: string): PasswdEntry[] {
  const entries: PasswdEntry[] = [];
  for (const [name = '', , uid = '', gid = '', , home = ''] of lines(text)) {
    entries.push({ name, uid: numeric(uid) ?? 0, gid: numeric(gid) ?? 0, home: home === '' ? '/' : home });
  }
  return entries;
}

function parseGroups(text: string): GroupEntry[] {
  const entries: GroupEntry[] = [];
  for (const [name = '', , gid = '', members = ''] of lines(text)) {
    entries.push({ name, gid: numeric(gid) ?? 0, members: members.split(',').map(member => member.trim()) });
  }
  return entries;
}
