// Typed events of pull and push as Docker's progress records.

import type { ProgressMessage } from '../../api/index.ts';
import type { PullEvent, PushEvent } from '../../registry/index.ts';

/** Where an operation's records go. */
export type Output = (message: ProgressMessage) => void;

export function pullMessage(event: PullEvent): ProgressMessage {
  switch (event.kind) {
    case 'pulling':
      return { status: `Pulling from ${event.path}`, id: event.tag };
    case 'warning':
      return { status: event.message };
    case 'layer':
      return { ...pullLayer(event), id: event.id };
  }
}

function pullLayer(event: Extract<PullEvent, { kind: 'layer' }>): ProgressMessage {
  switch (event.state) {
    case 'alreadyExists':
      return still('Already exists');
    case 'pullingFsLayer':
      return still('Pulling fs layer');
    case 'waiting':
      return still('Waiting');
    case 'downloading':
      return moving('Downloading', event.current, event.total);
    case 'retrying':
      return still(`Retrying in ${event.seconds} second${event.seconds === 1 ? '' : 's'}`);
    case 'verifyingChecksum':
      return still('Verifying Checksum');
    case 'downloadComplete':
      return still('Download complete');
    case 'extracting':
      return moving('Extracting', event.current, event.total);
    case 'pullComplete':
      return still('Pull complete');
  }
}

export function pushMessage(event: PushEvent): ProgressMessage {
  switch (event.kind) {
    case 'repository':
      return { status: `The push refers to repository [${event.name}]` };
    case 'note':
      return { status: event.message };
    case 'pushedManifest':
      return { status: `${event.reference}: digest: ${event.target.digest} size: ${event.target.size}` };
    case 'layer':
      return { ...pushLayer(event), id: event.id };
  }
}

function pushLayer(event: Extract<PushEvent, { kind: 'layer' }>): ProgressMessage {
  switch (event.state) {
    case 'preparing':
      return still('Preparing');
    case 'waiting':
      return still('Waiting');
    case 'pushing':
      return moving('Pushing', event.current, event.total);
    case 'retrying':
      return still(`Retrying in ${event.seconds} second${event.seconds === 1 ? '' : 's'}`);
    case 'pushed':
      return still('Pushed');
    case 'layerAlreadyExists':
      return still('Layer already exists');
    case 'mountedFrom':
      return still(`Mounted from ${event.repository}`);
  }
}

const still = (status: string): ProgressMessage => ({ status, progressDetail: {} });

export const moving = (status: string, current: number, total: number): ProgressMessage => ({
  status,
  progressDetail: { current, total },
  progress: drawProgress(current, total),
});

/** moby's pkg/jsonmessage: a bar of 50 and the sizes. */
export function drawProgress(current: number, total: number): string {
  if (total <= 0) return humanSize(current).padStart(8);
  const done = Math.min(50, Math.floor((current / total) * 50));
  const bar = `${'='.repeat(done)}>${' '.repeat(50 - done)}`;
  const sizes = `${humanSize(current).padStart(8)}/${humanSize(total)}`;
  return `[${bar}] ${current > total ? humanSize(current).padStart(8) : sizes}`;
}

/** go-units HumanSize: four significant digits, powers of 1000. */
export function humanSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}
