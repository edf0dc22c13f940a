// What JSON does not say of the objects that `inspect` shows, and Go's types do: which objects are maps, and which fields
// were left out for being empty.

import { asMap, nilMap, nilSlice } from '../template/index.ts';

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

/** Fields that are pointers: null prints as <nil>. Other nulls are empty slices or maps. */
const pointers = new Set([
  'Health',
  'Healthcheck',
  'StopTimeout',
  'Init',
  'MemorySwappiness',
  'OomKillDisable',
  'PidsLimit',
  'IPAMConfig',
  'SizeRw',
  'SizeRootFs',
  'ImageManifestDescriptor',
  'Descriptor',
  'UsageData',
  'LastUsedAt',
  'ExitCode',
  'GenericResources',
  'Swarm',
  'Server',
  'Config',
]);

/** A copy of an inspected object that templates can take fields of as of Go's. */
export function knownShape(value: unknown): unknown {
  const top = shape(value, '');
  if (typeof top !== 'object' || top === null || !('Id' in top)) return top;
  const whole = 'HostConfig' in top && 'State' in top ? { ...containerFields, ...top } : top;
  // Go calls the field ID.
  return Object.defineProperty(whole, 'ID', { value: top.Id });
}

function shape(value: unknown, field: string): unknown {
  if (Array.isArray(value)) return value.map(item => shape(item, ''));
  if (value === null) return pointers.has(field) || field === '' ? null : mapFields.has(field) ? nilMap() : nilSlice();
  if (typeof value !== 'object') return value;
  const members = Object.entries({ ...(Object.keys(value).length > 0 ? omitted[field] : undefined), ...value });
  const copy = Object.fromEntries(
    members.map(([key, item]) => [
      key,
      shape(item, field === 'LogConfig' && key === 'Config' ? 'Labels' : isMapEntry(field) ? '' : key),
    ]),
  );
  return mapFields.has(field) ? asMap(copy) : copy;
}

/** Keys of maps are no field names, but for what a network is called. */
const isMapEntry = (field: string): boolean => mapFields.has(field) && field !== 'Networks' && field !== 'Ports';
