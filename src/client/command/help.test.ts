import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

// Pages recorded from Docker's client 28.5.2; ours are the same but for the program's name, which is given here.
process.env.BERTH_PROGRAM_NAME = 'docker';
const { commands } = await import('../commands.ts');
const { isGroup } = await import('./command.ts');
const { commandHelp, groupHelp } = await import('./help.ts');

const directory = `${import.meta.dirname}/testdata/help`;
const golden = (path: string): string =>
  readFileSync(`${directory}/${path.replaceAll(' ', '-')}.txt`, 'utf8').trimEnd();
/** Ours alone. */
const own = new Set(['completion', 'system dial-stdio']);

for (const [name, node] of Object.entries(commands)) {
  if (own.has(name)) continue;
  if (isGroup(node)) {
    test(`help of ${name}`, () => assert.equal(groupHelp(name, node).trimEnd(), golden(name)));
    for (const [child, entry] of Object.entries(node.children)) {
      if (own.has(`${name} ${child}`)) continue;
      test(`help of ${name} ${child}`, async () => {
        assert.equal(commandHelp(await entry.load(), `${name} ${child}`, 79).trimEnd(), golden(`${name} ${child}`));
      });
    }
  } else {
    test(`help of ${name}`, async () => {
      assert.equal(commandHelp(await node.load(), name, 79).trimEnd(), golden(name));
    });
  }
}

test('every recorded command is there', () => {
  const missing = readdirSync(directory)
    .map(file => file.slice(0, -'.txt'.length))
    .filter(file => {
      if (Object.hasOwn(commands, file)) return false;
      const [group = '', ...rest] = file.split('-');
      const node = commands[group];
      return node === undefined || !isGroup(node) || !Object.hasOwn(node.children, rest.join('-'));
    });
  assert.deepEqual(missing, []);
});
