import { mkdirSync, writeFileSync } from 'node:fs';
import { readTar } from '../archive/tar-reader.ts';
import type { Command } from '../command/command.ts';
import {
  type ContextMetadata,
  contextExists,
  tlsDirectory,
  tlsFileNames,
  writeContext,
} from '../config/context-store.ts';
import { openInput } from '../terminal/input-stream.ts';
import { checkContextName } from './endpoint-flag.ts';

/** A context is a few kilobytes; more is none. */
const maxFileBytes = 10 * 1024 * 1024;

export const importContext: Command = {
  usage: 'CONTEXT FILE|-',
  description: 'Import a context from a tar or zip file',
  flags: [],
  arity: { kind: 'exactly', count: 2 },
  run: async ({ cli, args }) => {
    const [name = '', file = ''] = args;
    const directory = cli.options.configDirectory;
    checkContextName(name);
    if (contextExists(directory, name)) throw new Error(`context ${JSON.stringify(name)} already exists`);
    let metadata: ContextMetadata | undefined;
    const files: (readonly [string, Buffer])[] = [];
    for await (const entry of readTar(openInput(file))) {
      if (entry.type === '5') continue;
      if (entry.size > maxFileBytes) throw new Error('read exceeds the defined limit');
      const content: Buffer[] = [];
      for await (const chunk of entry.content()) content.push(chunk);
      const tlsName = Object.values(tlsFileNames).find(known => entry.name === `tls/docker/${known}`);
      if (entry.name === 'meta.json') metadata = JSON.parse(Buffer.concat(content).toString()) as ContextMetadata;
      else if (tlsName !== undefined) files.push([tlsName, Buffer.concat(content)]);
      else throw new Error(`unexpected context file: ${entry.name}`);
    }
    if (metadata === undefined) throw new Error('invalid context: no metadata found');
    if (files.length > 0) {
      const folder = `${tlsDirectory(directory, name)}/docker`;
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const [file, content] of files) writeFileSync(`${folder}/${file}`, content, { mode: 0o600 });
    }
    writeContext(directory, { ...metadata, Name: name });
    cli.print(name);
    cli.error(`Successfully imported context ${JSON.stringify(name)}`);
  },
};
