import { resolve } from 'node:path';
import { disassemble } from '../../../launcher/index.ts';
import { planCreate } from '../../create.ts';
import { explainOp } from '../../explain.ts';
import type { Command } from '../context.ts';
import { Flags } from '../flags.ts';
import { loadSpec } from '../start-program.ts';

export const explain: Command = {
  name: 'explain',
  usage: 'explain [bundle]',
  summary: 'print every step that makes the container of a bundle, with what asks for it; nothing is run',
  async run(words, { stdout }) {
    const flags = new Flags(words, { bundle: 'string', b: { alias: 'bundle' } });
    const bundle = resolve(flags.string('bundle') ?? flags.rest[0] ?? '.');
    const spec = loadSpec(bundle);
    const { program, warnings } = planCreate({
      id: 'explained',
      spec,
      bundle,
      stdio: 'inherit',
      startGate: 'none',
      ...(spec.linux?.netDevices && { netDevices: (await import('../../net-devices.ts')).netDeviceOps(spec) }),
      ...(spec.process?.terminal && { consoleSocket: '/run/console.sock' }),
    });
    for (const warning of warnings) stdout(`# ${warning}\n`);
    stdout(`${disassemble(program, { explain: explainOp }).trimEnd()}\n`);
    return 0;
  },
};
