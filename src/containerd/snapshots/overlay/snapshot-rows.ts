import type { Labels } from '../../content/content-store.ts';
import type { Database } from '../../metadata/database.ts';
import type { SnapshotInfo, SnapshotKind, Usage } from '../snapshotter.ts';

export interface SnapshotRow {
  /** Names the folder. Never used twice. */
  readonly id: number;
  readonly key: string;
  readonly kind: SnapshotKind;
  /** '' for none. */
  readonly parent: string;
  readonly labels: string;
  readonly sizeBytes: number | null;
  readonly inodes: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export const toInfo = (row: SnapshotRow): SnapshotInfo => ({
  key: row.key,
  kind: row.kind,
  ...(row.parent !== '' && { parent: row.parent }),
  labels: JSON.parse(row.labels) as Labels,
  createdAt: new Date(row.createdAt),
  updatedAt: new Date(row.updatedAt),
});

/** What the database knows of each snapshot. */
export class SnapshotRows {
  readonly #database: Database;
  readonly #get;
  readonly #list;
  readonly #insert;
  readonly #commit;
  readonly #setLabels;
  readonly #delete;
  readonly #child;
  readonly #lease;

  constructor(database: Database) {
    this.#database = database;
    const { sql } = database;
    this.#get = sql.prepare('SELECT * FROM snapshots WHERE key = ?');
    this.#list = sql.prepare('SELECT * FROM snapshots ORDER BY id');
    this.#insert = sql.prepare(
      'INSERT INTO snapshots (key, kind, parent, labels, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?, ?)',
    );
    this.#commit = sql.prepare(
      `UPDATE snapshots SET key = ?, kind = 'committed', parent = ?, labels = ?, sizeBytes = ?, inodes = ?, updatedAt = ?
       WHERE key = ?`,
    );
    this.#setLabels = sql.prepare('UPDATE snapshots SET labels = ?, updatedAt = ? WHERE key = ?');
    this.#delete = sql.prepare('DELETE FROM snapshots WHERE key = ?');
    this.#child = sql.prepare('SELECT key FROM snapshots WHERE parent = ? LIMIT 1');
    this.#lease = sql.prepare(`INSERT OR IGNORE INTO leaseResources (lease, type, id) VALUES (?, 'snapshot', ?)`);
  }

  get(key: string): SnapshotRow | undefined {
    return this.#get.get(key) as unknown as SnapshotRow | undefined;
  }

  list(): SnapshotRow[] {
    return this.#list.all() as unknown as SnapshotRow[];
  }

  insert(key: string, kind: SnapshotKind, parent: string, labels: Labels): number {
    const now = Date.now();
    return Number(this.#insert.run(key, kind, parent, JSON.stringify(labels), now, now).lastInsertRowid);
  }

  /** One transaction: the snapshot is never there without the lease that keeps it. */
  commit(name: string, key: string, parent: string, labels: Labels, usage: Usage, lease: string | undefined): void {
    this.#database.transaction(() => {
      this.#commit.run(name, parent, JSON.stringify(labels), usage.sizeBytes, usage.inodes, Date.now(), key);
      if (lease !== undefined) this.#lease.run(lease, name);
    });
  }

  hold(name: string, lease: string): void {
    this.#lease.run(lease, name);
  }

  label(key: string, labels: Labels): void {
    this.#setLabels.run(JSON.stringify(labels), Date.now(), key);
  }

  delete(key: string): void {
    this.#delete.run(key);
  }

  /** A snapshot right above, if there is one. */
  childOf(key: string): string | undefined {
    return (this.#child.get(key) as { key: string } | undefined)?.key;
  }
}
