import assert from 'node:assert/strict';
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { startEngine } from '../harness/engine.ts';
import { needsDockerCli as skip } from '../harness/skip.ts';
import { parseTranscript, replay, scenarioDir } from './transcript.ts';

/** What our client says otherwise than the recorded one, since it follows a later one. */
const laterWords: Readonly<Record<string, string>> = {
  'docker attach life': 'docker CLI 28.5: "cannot attach to a stopped container, start it first"',
  'docker rename life2 life2': 'docker CLI 28.5 does not repeat that it failed',
  'docker run --rm --mount type=bind,source=$DIR/made2,target=/mnt,bind-create-src busybox true':
    'docker CLI 29 knows bind-create-src',
  "docker inspect audb --format '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.Driver}} {{.RW}} <{{.Mode}}> <{{.Propagation}}>{{println}}{{end}}' | sort":
    'a key that the engine leaves out is an error in our templates',
  'docker run --rm --network bridge --network-alias x busybox true': 'the engine refuses it, not the client',
  'docker run --rm --network name=audn,nosuch=z busybox true': 'the option is read after all flags',
  'docker pull in/valid/@': 'the words of a reference that is none differ between versions',
};

/** Our own client where the transcripts say `docker`. */
function pathWithBerth(): { readonly path: string } & Disposable {
  const dir = mkdtempSync(join(tmpdir(), 'berth-as-docker-'));
  symlinkSync(join(import.meta.dirname, '../../bin/berth'), join(dir, 'docker'));
  return { path: `${dir}:${process.env.PATH}`, [Symbol.dispose]: () => rmSync(dir, { recursive: true }) };
}

for (const client of ['docker', 'berth'] as const) {
  for (const file of globSync('*.t', { cwd: scenarioDir }).toSorted()) {
    test(`${basename(file, '.t')}: ${client} shows of our engine what docker showed of the real Docker`, {
      skip,
    }, async t => {
      await using engine = await startEngine();
      using berth = pathWithBerth();
      const steps = parseTranscript(readFileSync(join(scenarioDir, file), 'utf8'));
      const answered = await replay(steps, { ...engine.clientEnv, ...(client === 'berth' && { PATH: berth.path }) });
      for (const [i, step] of steps.entries()) {
        const differs = step.differs ?? (client === 'berth' ? laterWords[step.command] : undefined);
        await t.test(step.command, { skip: differs === undefined ? false : `differs by intent: ${differs}` }, () => {
          // Columns are padded otherwise where a number has other digits.
          assert.equal(answered[i]!.answer.replace(/ {2,}/g, '  '), step.answer.replace(/ {2,}/g, '  '));
        });
      }
    });
  }
}
