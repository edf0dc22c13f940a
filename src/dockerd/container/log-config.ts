// HostConfig.LogConfig for the shim, which writes the log itself.

import { InvalidArgument } from '../../errdefs/index.ts';
import type { LogConfig } from '../../shim/index.ts';
import { parseSize } from '../config/config.ts';
import { shortId } from './id.ts';
import type { ContainerRecord } from './record.ts';

/** Ours, where Docker lets a log grow without end: the last 500 MiB are kept. */
const defaultMaxSizeBytes = 100 << 20;
const defaultMaxFiles = 5;

/** Where a container's output goes. */
export function logConfig(record: ContainerRecord, path: string): LogConfig {
  const { Type: type, Config } = record.hostConfig.LogConfig;
  const options = Config ?? {};
  if (type === 'none') return { type: 'none' };
  if (type === 'syslog') {
    const tag = options.tag || '{{.ID}}';
    return {
      type,
      address: options['syslog-address'] ?? '',
      facility: options['syslog-facility'] ?? '',
      format: options['syslog-format'] ?? '',
      tag: attributesOf(record, { tag }).tag ?? '',
    };
  }
  if (type !== 'json-file' && type !== 'local') {
    throw new InvalidArgument(`error looking up logging plugin ${type}: plugin "${type}" not found`);
  }
  const asked = options['max-size'];
  const attributes = attributesOf(record, options);
  return {
    type,
    path,
    ...(asked !== '-1' && { maxSizeBytes: asked === undefined ? defaultMaxSizeBytes : parseSize(asked) }),
    maxFiles: Number(options['max-file'] ?? (asked === undefined ? defaultMaxFiles : 1)),
    compress: (options.compress ?? String(type === 'local')) === 'true',
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
}

/** Labels, variables and the tag that each line repeats (moby daemon/logger/loginfo.go). */
function attributesOf(record: ContainerRecord, options: Readonly<Record<string, string>>): Record<string, string> {
  const result: Record<string, string> = {};
  const { Labels, Env, Image } = record.config;
  const variables = Object.fromEntries(
    (Env ?? [])
      .filter(entry => entry.includes('='))
      .map(entry => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  const take = (
    from: Readonly<Record<string, string>>,
    names: string | undefined,
    pattern: string | undefined,
  ): void => {
    for (const name of (names ?? '').split(',')) if (name !== '' && from[name] !== undefined) result[name] = from[name];
    if (pattern === undefined || pattern === '') return;
    const expression = new RegExp(pattern);
    for (const [name, value] of Object.entries(from)) if (expression.test(name)) result[name] = value;
  };
  take(Labels ?? {}, options.labels, options['labels-regex']);
  take(variables, options.env, options['env-regex']);
  const tag = options.tag;
  if (tag !== undefined && tag !== '') {
    const fields: Readonly<Record<string, string>> = {
      ID: shortId(record.id),
      FullID: record.id,
      Name: record.name,
      ImageID: record.imageId.replace('sha256:', '').slice(0, 12),
      ImageFullID: record.imageId,
      ImageName: Image,
      DaemonName: 'docker',
    };
    result.tag = tag.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) => fields[name] ?? whole);
  }
  return result;
}
