// --mount type=bind,source=/a,target=/b,readonly

import { resolve } from 'node:path';
import { parseBool } from '../command/flag.ts';
import { splitCommas } from '../command/flags.ts';
import { parseBytes } from '../format/units.ts';

type Json = Record<string, unknown>;

/** Fields that need no value. */
const bare = ['readonly', 'ro', 'volume-nocopy', 'bind-nonrecursive', 'bind-create-src'];

/** Reads the flag into an entry of HostConfig.Mounts; throws Errors in Docker's words. */
export function parseMountFlag(text: string): Json {
  const mount: Json = { Type: 'volume' };
  const bind: Json = {};
  const volume: Json = {};
  const image: Json = {};
  const tmpfs: Json = {};
  const driver: Json = {};
  const options: Record<string, string> = {};
  const labels: Record<string, string> = {};
  let recursive: string | undefined;
  for (const field of splitCommas(text)) {
    let [key = '', value] = field.split(/=(.*)/s);
    key = key.toLowerCase();
    if (value === undefined) {
      if (!bare.includes(key)) throw new Error(`invalid field '${field}' must be a key=value pair`);
      value = 'true';
    }
    const given = value;
    const flag = (): boolean => {
      try {
        return parseBool(given);
      } catch {
        throw new Error(`invalid value for ${key}: ${given}`);
      }
    };
    switch (key) {
      case 'type':
        mount.Type = value.toLowerCase();
        break;
      case 'source':
      case 'src':
        mount.Source = value.startsWith('.') ? resolve(value) : value;
        break;
      case 'target':
      case 'dst':
      case 'destination':
        mount.Target = value;
        break;
      case 'readonly':
      case 'ro':
        if (flag()) mount.ReadOnly = true;
        break;
      case 'consistency':
        mount.Consistency = value;
        break;
      case 'bind-propagation':
        bind.Propagation = value.toLowerCase();
        break;
      case 'bind-create-src':
        bind.CreateMountpoint = flag();
        break;
      case 'bind-nonrecursive':
        bind.NonRecursive = flag();
        break;
      case 'bind-recursive':
        recursive = value;
        break;
      case 'volume-subpath':
        volume.Subpath = value;
        break;
      case 'volume-nocopy':
        volume.NoCopy = flag();
        break;
      case 'volume-label':
        labels[value.split('=')[0]!] = value.split(/=(.*)/s)[1] ?? '';
        break;
      case 'volume-driver':
        driver.Name = value;
        break;
      case 'volume-opt':
        options[value.split('=')[0]!] = value.split(/=(.*)/s)[1] ?? '';
        break;
      case 'image-subpath':
        image.Subpath = value;
        break;
      case 'tmpfs-size':
        try {
          tmpfs.SizeBytes = parseBytes(value);
        } catch {
          throw new Error(`invalid value for ${key}: ${value}`);
        }
        break;
      case 'tmpfs-mode':
        if (!/^[0-7]+$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`);
        tmpfs.Mode = Number.parseInt(value, 8);
        break;
      default:
        throw new Error(`unexpected key '${key}' in '${field}'`);
    }
  }
  if (mount.Type === '') throw new Error('type is required');
  if (mount.Target === undefined || mount.Target === '') throw new Error('target is required');
  if (Object.keys(options).length > 0) driver.Options = options;
  if (Object.keys(driver).length > 0) volume.DriverConfig = driver;
  if (Object.keys(labels).length > 0) volume.Labels = labels;
  if (recursive !== undefined) readRecursive(recursive, mount, bind);
  for (const [type, key, value] of [
    ['volume', 'VolumeOptions', volume],
    ['bind', 'BindOptions', bind],
    ['image', 'ImageOptions', image],
    ['tmpfs', 'TmpfsOptions', tmpfs],
  ] as const) {
    if (Object.keys(value).length === 0) continue;
    if (mount.Type !== type) throw new Error(`cannot mix '${type}-*' options with mount type '${String(mount.Type)}'`);
    mount[key] = value;
  }
  return mount;
}

function readRecursive(text: string, mount: Json, bind: Json): void {
  switch (text) {
    case 'enabled':
      break;
    case 'disabled':
      bind.NonRecursive = true;
      break;
    case 'writable':
      bind.ReadOnlyNonRecursive = true;
      break;
    case 'readonly':
      bind.ReadOnlyForceRecursive = true;
      if (mount.ReadOnly !== true)
        throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction");
      if (bind.Propagation !== 'rprivate') {
        throw new Error(
          "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
        );
      }
      break;
    default:
      throw new Error(
        `invalid value for bind-recursive: ${text} (must be "enabled", "disabled", "writable", or "readonly")`,
      );
  }
}
