import type { Digest } from '../../../oci/index.ts';
import type { Database } from '../../metadata/database.ts';
import type { BlobInfo, Labels } from '../content-store.ts';

interface Row {
  readonly digest: string;
  readonly size: number;
  readonly labels: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const toInfo = (row: Row): BlobInfo => ({
  digest: row.digest as Digest,
  size: row.size,
  labels: JSON.parse(row.labels) as Labels,
  createdAt: new Date(row.createdAt),
  updatedAt: new Date(row.updatedAt),
});

/** What the database knows of each blob. */
export class BlobRows {
  readonly #database: Database;
  readonly #get;
  readonly #list;
  readonly #insert;
  readonly #setLabels;
  readonly #delete;
  readonly #lease;

  constructor(database: Database) {
    this.#database = database;
    const { sql } = database;
    this.#get = sql.prepare('SELECT * FROM blobs WHERE digest = ?');
    this.#list = sql.prepare('SELECT * FROM blobs ORDER BY createdAt, digest');
    this.#insert = sql.prepare(
      'INSERT OR IGNORE INTO blobs (digest, size, labels, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?)',
    );
    this.#setLabels = sql.prepare('UPDATE blobs SET labels = ?, updatedAt = ? WHERE digest = ?');
    this.#delete = sql.prepare('DELETE FROM blobs WHERE digest = ?');
    this.#lease = sql.prepare(`INSERT OR IGNORE INTO leaseResources (lease, type, id) VALUES (?, 'content', ?)`);
  }

  get(digest: string): BlobInfo | undefined {
    const row = this.#get.get(digest) as Row | undefined;
    return row && toInfo(row);
  }

  list(): BlobInfo[] {
    return (this.#list.all() as unknown as Row[]).map(toInfo);
  }

  /** One transaction: the blob is never there without the lease that keeps it. */
  insert(digest: string, size: number, labels: Labels = {}, lease?: string): void {
    this.#database.transaction(() => {
      const now = Date.now();
      if (this.#insert.run(digest, size, JSON.stringify(labels), now, now).changes === 0) this.label(digest, labels);
      if (lease !== undefined) this.#lease.run(lease, digest);
    });
  }

  hold(digest: string, lease: string): void {
    this.#lease.run(lease, digest);
  }

  /** Whether the blob is there. */
  label(digest: string, labels: Labels): boolean {
    const info = this.get(digest);
    if (info === undefined) return false;
    if (Object.keys(labels).length === 0) return true;
    const merged = Object.entries({ ...info.labels, ...labels }).filter(([, value]) => value !== '');
    this.#setLabels.run(JSON.stringify(Object.fromEntries(merged)), Date.now(), digest);
    return true;
  }

  delete(digest: string): boolean {
    return this.#delete.run(digest).changes > 0;
  }
}
