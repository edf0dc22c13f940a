// Checks the shape of src/: imports run down the diagram only, a part is entered by its index.ts only, no default exports by stars.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Top to bottom: a part may import those after it. */
const order = [
  'client',
  'api',
  'dockerd',
  'build',
  'registry',
  'network',
  'containerd',
  'shim',
  'runc',
  'launcher',
  'netlink',
  'patternmatcher',
  'oci',
  'errdefs',
];

/** The client speaks to the daemon over the API alone, and the API is a contract of data. */
const only: Readonly<Record<string, readonly string[]>> = {
  client: ['api', 'registry', 'patternmatcher', 'oci', 'errdefs'],
  api: ['oci', 'errdefs'],
  dockerd: [...order.slice(3), 'api'],
};

/** What breaks the rules in the sources under `root`, one line each. */
export function layerProblems(root: string): string[] {
  const src = join(root, 'src');
  const problems: string[] = [];
  for (const file of globSync('**/*.ts', { cwd: src })) {
    const part = file.split('/')[0]!;
    if (!order.includes(part)) {
      problems.push(`src/${file}: no part of the diagram is called ${part} (docs/architecture.md)`);
      continue;
    }
    const text = readFileSync(join(src, file), 'utf8');
    if (/^export \* /m.test(text)) problems.push(`src/${file}: "export *": list by name what others may use`);
    const allowed = only[part] ?? order.slice(order.indexOf(part) + 1);
    for (const [, target] of text.matchAll(/(?:\bfrom|\bimport\(|^import)\s*'(\.[^']+)'/gm)) {
      const path = relative(src, resolve(src, dirname(file), target!));
      const other = path.split('/')[0]!;
      if (other === part || path.startsWith('..')) continue;
      const test = file.endsWith('.test.ts');
      if (!allowed.includes(other) && !test) {
        problems.push(`src/${file}: imports ${path}: ${part} must not know ${other}`);
      } else if (path !== `${other}/index.ts` && !test) {
        problems.push(`src/${file}: imports ${path}: only src/${other}/index.ts is public`);
      }
    }
  }
  return problems;
}
