// What `ps` shows of a container.

import type { ContainerSummary, PortSummary } from '../../api/index.ts';
import { humanDuration } from '../../api/index.ts';
import type { RowType } from '../format/formatter.ts';
import { ellipsis } from '../format/text.ts';
import { localTime } from '../format/time.ts';
import { humanSize } from '../format/units.ts';
import { goQuote } from '../template/index.ts';

interface RowOptions {
  readonly noTrunc: boolean;
}

class ContainerRow {
  readonly #container: ContainerSummary;
  readonly #noTrunc: boolean;

  constructor(container: ContainerSummary, options: RowOptions) {
    this.#container = container;
    this.#noTrunc = options.noTrunc;
  }

  get ID(): string {
    return this.#noTrunc ? this.#container.Id : this.#container.Id.slice(0, 12);
  }

  get Names(): string {
    const names = this.#container.Names.map(name => name.replace(/^\//, ''));
    // A name with a slash is a link's: shown only untruncated.
    return (this.#noTrunc ? names : names.filter(name => !name.includes('/'))).join(',');
  }

  get Image(): string {
    const { Image: image, ImageID: id } = this.#container;
    if (image === '') return '<no image>';
    if (this.#noTrunc) return image;
    if (image === id || image === id.replace('sha256:', '')) return id.replace('sha256:', '').slice(0, 12);
    // A digest after a tag says nothing more to a reader.
    return /^[^@]+:[^@/]+@sha256:/.test(image) ? image.slice(0, image.indexOf('@')) : image.replace(/@sha256:.*$/, '');
  }

  get Command(): string {
    const { Command: command } = this.#container;
    return goQuote(this.#noTrunc ? command : ellipsis(command, 20));
  }

  get CreatedAt(): string {
    return localTime(this.#container.Created * 1000);
  }

  get RunningFor(): string {
    return `${humanDuration(Date.now() - this.#container.Created * 1000)} ago`;
  }

  get Platform(): null {
    return null; // only with the manifest's descriptor
  }

  get Ports(): string {
    return displayPorts(this.#container.Ports);
  }

  get State(): string {
    return this.#container.State;
  }

  get Status(): string {
    return this.#container.Status;
  }

  get Size(): string {
    const { SizeRw: own = 0, SizeRootFs: all = 0 } = this.#container;
    const text = humanSize(own, 3);
    return all > 0 ? `${text} (virtual ${humanSize(all, 3)})` : text;
  }

  get Labels(): string {
    return Object.entries(this.#container.Labels ?? {})
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join(',');
  }

  Label(name: string): string {
    return this.#container.Labels?.[name] ?? '';
  }

  get Mounts(): string {
    return this.#container.Mounts.map(mount => {
      const name = mount.Name === undefined || mount.Name === '' ? mount.Source : mount.Name;
      return this.#noTrunc ? name : ellipsis(name, 15);
    }).join(',');
  }

  get LocalVolumes(): string {
    return String(this.#container.Mounts.filter(mount => mount.Driver === 'local').length);
  }

  get Networks(): string {
    return Object.keys(this.#container.NetworkSettings?.Networks ?? {})
      .sort()
      .join(',');
  }
}

export const containerRow = (options: RowOptions): RowType<ContainerSummary> => ({
  typeName: '*formatter.ContainerContext',
  headers: {
    ID: 'CONTAINER ID',
    Names: 'NAMES',
    Image: 'IMAGE',
    Command: 'COMMAND',
    CreatedAt: 'CREATED AT',
    RunningFor: 'CREATED',
    Platform: 'PLATFORM',
    Ports: 'PORTS',
    State: 'STATE',
    Status: 'STATUS',
    Size: 'SIZE',
    Labels: 'LABELS',
    Mounts: 'MOUNTS',
    LocalVolumes: 'LOCAL VOLUMES',
    Networks: 'NETWORKS',
  },
  row: container => new ContainerRow(container, options),
});

interface PortRange {
  readonly ip: string;
  readonly type: string;
  first: number;
  last: number;
  readonly privateFirst: number;
}

/** Ports as "0.0.0.0:8080->80/tcp, 443/tcp"; neighbouring ones as ranges. */
export function displayPorts(ports: readonly PortSummary[]): string {
  const sorted = [...ports].sort(
    (a, b) =>
      a.PrivatePort - b.PrivatePort ||
      compareText(a.IP ?? '', b.IP ?? '') ||
      (a.PublicPort ?? 0) - (b.PublicPort ?? 0) ||
      compareText(a.Type, b.Type),
  );
  const groups = new Map<string, PortRange>();
  const done: PortRange[] = [];
  const fixed: string[] = [];
  for (const port of sorted) {
    const ip = port.IP ?? '';
    const key = `${ip === '' ? '' : `${ip}/`}${port.Type}`;
    if (ip !== '' && port.PublicPort !== port.PrivatePort) {
      fixed.push(`${joinHostPort(ip, port.PublicPort ?? 0)}->${port.PrivatePort}/${port.Type}`);
      continue;
    }
    const group = groups.get(key);
    if (group !== undefined && group.last === port.PrivatePort - 1) {
      group.last = port.PrivatePort;
      continue;
    }
    if (group !== undefined) done.push(group);
    groups.set(key, {
      ip,
      type: port.Type,
      first: port.PrivatePort,
      last: port.PrivatePort,
      privateFirst: port.PrivatePort,
    });
  }
  return [...done.map(showRange), ...[...groups.values()].map(showRange), ...fixed].join(', ');
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const joinHostPort = (ip: string, port: number | string): string => `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;

function showRange(range: PortRange): string {
  const numbers = range.first === range.last ? `${range.first}` : `${range.first}-${range.last}`;
  return range.ip === '' ? `${numbers}/${range.type}` : `${joinHostPort(range.ip, numbers)}->${numbers}/${range.type}`;
}
