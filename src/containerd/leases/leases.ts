// Leases keep content and snapshots from the garbage collector while nothing else refers to them yet: during a pull, a load, a
// build. As containerd's core/leases.

import type { Labels } from '../content/content-store.ts';

export interface Lease {
  readonly id: string;
  readonly createdAt: Date;
  /** After this the collector no longer heeds it. */
  readonly expiresAt: Date;
  readonly labels: Labels;
}

export type LeaseResource =
  | { readonly type: 'content'; readonly id: string }
  | { readonly type: 'snapshot'; readonly id: string };

/** A lease that ends with the scope that holds it (`using`). */
export interface HeldLease extends Lease, Disposable {}

export interface Leases {
  /** Default: a random id. Without `expiresAt` it ends with the process, after a day at the latest. AlreadyExists when the id is taken. */
  create(options?: { id?: string; expiresAt?: Date; labels?: Labels }): HeldLease;
  /** NotFound. What only it kept is garbage now. */
  delete(id: string): void;
  list(): Lease[];
  /** NotFound when there is no such lease. */
  addResource(id: string, resource: LeaseResource): void;
  deleteResource(id: string, resource: LeaseResource): void;
  resources(id: string): LeaseResource[];
}
