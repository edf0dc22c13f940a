import { randomBytes } from 'node:crypto';
import { AlreadyExists, NotFound } from '../../errdefs/index.ts';
import type { Labels } from '../content/content-store.ts';
import type { Database } from '../metadata/database.ts';
import type { HeldLease, Lease, LeaseResource, Leases } from './leases.ts';

const dayMs = 24 * 3600 * 1000;
/** Label of what ends with the process. */
const processLabel = 'berth.process';

interface Row {
  readonly id: string;
  readonly labels: string;
  readonly createdAt: number;
  readonly expiresAt: number;
}

const toLease = (row: Row): Lease => ({
  id: row.id,
  labels: JSON.parse(row.labels) as Labels,
  createdAt: new Date(row.createdAt),
  expiresAt: new Date(row.expiresAt),
});

/** Leases as rows of the database. */
export class LeaseManager implements Leases {
  readonly #get;
  readonly #list;
  readonly #insert;
  readonly #delete;
  readonly #add;
  readonly #remove;
  readonly #resources;

  constructor({ sql }: Database) {
    this.#get = sql.prepare('SELECT * FROM leases WHERE id = ?');
    this.#list = sql.prepare('SELECT * FROM leases ORDER BY createdAt');
    this.#insert = sql.prepare('INSERT INTO leases (id, labels, createdAt, expiresAt) VALUES (?, ?, ?, ?)');
    this.#delete = sql.prepare('DELETE FROM leases WHERE id = ?');
    this.#add = sql.prepare('INSERT OR IGNORE INTO leaseResources (lease, type, id) VALUES (?, ?, ?)');
    this.#remove = sql.prepare('DELETE FROM leaseResources WHERE lease = ? AND type = ? AND id = ?');
    this.#resources = sql.prepare('SELECT type, id FROM leaseResources WHERE lease = ?');
    // Whoever held these is gone.
    for (const lease of this.list()) if (processLabel in lease.labels) this.#delete.run(lease.id);
  }

  create(options: { id?: string; expiresAt?: Date; labels?: Labels } = {}): HeldLease {
    const id = options.id ?? randomBytes(8).toString('hex');
    if (this.#get.get(id) !== undefined) throw new AlreadyExists(`lease "${id}" already exists`);
    const now = Date.now();
    const expiresAt = options.expiresAt?.getTime() ?? now + dayMs;
    const labels = {
      ...options.labels,
      ...(options.expiresAt === undefined && { [processLabel]: String(process.pid) }),
    };
    this.#insert.run(id, JSON.stringify(labels), now, expiresAt);
    return {
      ...toLease(this.#get.get(id) as unknown as Row),
      [Symbol.dispose]: () => void this.#delete.run(id),
    };
  }

  delete(id: string): void {
    if (this.#delete.run(id).changes === 0) throw new NotFound(`lease "${id}" not found`);
  }

  list(): Lease[] {
    return (this.#list.all() as unknown as Row[]).map(toLease);
  }

  addResource(id: string, resource: LeaseResource): void {
    this.#require(id);
    this.#add.run(id, resource.type, resource.id);
  }

  deleteResource(id: string, resource: LeaseResource): void {
    this.#require(id);
    this.#remove.run(id, resource.type, resource.id);
  }

  resources(id: string): LeaseResource[] {
    this.#require(id);
    return this.#resources.all(id) as unknown as LeaseResource[];
  }

  #require(id: string): void {
    if (this.#get.get(id) === undefined) throw new NotFound(`lease "${id}" not found`);
  }
}
