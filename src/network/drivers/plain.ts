// Networks that make nothing: `host` (the host's own namespace) and `null` (a namespace with nothing but its loopback).

import type { Driver } from './driver.ts';

const plain = (name: string): Driver => ({
  name,
  traits: { addressed: false, publishes: false },
  check: () => {},
  up: () => ({ parentIndex: 0, mtu: 0 }),
  down: async () => {},
  interfacePrefix: () => '',
  createDevice: () => [],
});

export const hostDriver = plain('host');
export const nullDriver = plain('null');
