import { readFileSync, writeFileSync } from 'node:fs';
import { tarEnd, tarFile } from '../archive/tar-writer.ts';
import type { Command } from '../command/command.ts';
import { contextTlsFiles, readContext } from '../config/context-store.ts';
import { writeFully } from '../terminal/output.ts';
import { isatty } from '../terminal/window.ts';

export const exportContext: Command = {
  usage: '[OPTIONS] CONTEXT [FILE|-]',
  description: 'Export a context to a tar archive FILE or a tar stream on STDOUT.',
  flags: [],
  arity: { kind: 'between', least: 1, most: 2 },
  completes: 'contexts',
  run: async ({ cli, args }) => {
    const [name = '', file = `${name}.dockercontext`] = args;
    const directory = cli.options.configDirectory;
    const metadata = readContext(directory, name);
    const parts = [tarFile('meta.json', Buffer.from(JSON.stringify(metadata)), 0o644)];
    for (const path of Object.values(contextTlsFiles(directory, name))) {
      parts.push(tarFile(`tls/docker/${path.slice(path.lastIndexOf('/') + 1)}`, readFileSync(path)));
    }
    const archive = Buffer.concat([...parts, tarEnd]);
    if (file === '-') {
      if (isatty(1)) throw new Error('cowardly refusing to export to a terminal, specify a file path');
      writeFully(1, archive);
      return;
    }
    writeFileSync(file, archive, { flag: 'wx', mode: 0o600 });
    cli.error(`Written file ${JSON.stringify(file)}`);
  },
};
