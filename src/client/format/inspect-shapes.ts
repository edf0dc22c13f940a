// What JSON does not say of the objects that `inspect` shows, and Go's types do: which objects are maps, and which fields
// were left out for being empty.

import { asMap } from '../template/index.ts';

/** Fields whose objects are maps by name; all others are structs. */
const mapFields = new Set([
  'Labels',
  'Ports',
  'ExposedPorts',
  'Volumes',
  'Networks',
  'PortBindings',
  'Options',
  'DriverOpts',
  'Config.LogConfig',
  'Data',
  'Annotations',
  'StorageOpt',
  'Tmpfs',
  'Sysctls',
  'Containers',
  'Status',
  'Runtimes',
  'IndexConfigs',
  'AuxiliaryAddresses',
  'Details',
]);

/** Fields left out when empty, by the field that holds them; "" is the top. */
const omitted: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  State: { Health: null },
  Config: {
    Healthcheck: null,
    ExposedPorts: null,
    StopSignal: '',
    StopTimeout: null,
    Shell: null,
    MacAddress: '',
    NetworkDisabled: false,
    ArgsEscaped: false,
  },
  HostConfig: { Annotations: null, StorageOpt: null, Tmpfs: null, Sysctls: null, Mounts: null, Init: null },
};

const containerFields = { SizeRw: null, SizeRootFs: null, ImageManifestDescriptor: null };

/** A copy of an inspected object that templates can take fields of as of Go's. */
export function knownShape(value: unknown): unknown {
  const top = shape(value, '');
  if (typeof top === 'object' && top !== null && 'HostConfig' in top && 'State' in top)
    return { ...containerFields, ...top };
  return top;
}

function shape(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map(item => shape(item, ''));
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      shape(item, field === 'LogConfig' && key === 'Config' ? 'Labels' : key),
    ]),
  );
  if (mapFields.has(field)) return asMap(copy);
  return omitted[field] === undefined || Object.keys(copy).length === 0 ? copy : { ...omitted[field], ...copy };
}
