// The database file: opened, brought to the newest shape, and the transaction that all stores share.

import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { FailedPrecondition } from '../../errdefs/index.ts';
import type { Collection, Metadata } from './metadata.ts';

/** One entry per version of the schema, applied in order; an entry that was ever released is never changed. */
const migrations: readonly string[] = [
  `CREATE TABLE records (collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (collection, key)) WITHOUT ROWID;
   CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, labels TEXT NOT NULL,
     createdAt INTEGER NOT NULL, updatedAt INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE snapshots (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
     parent TEXT NOT NULL, labels TEXT NOT NULL, sizeBytes INTEGER, inodes INTEGER,
     createdAt INTEGER NOT NULL, updatedAt INTEGER NOT NULL);
   -- ext4 chooses where to put a snapshot's files by its folder's name (see OverlaySnapshotter): not the same for every engine.
   INSERT INTO sqlite_sequence (name, seq) VALUES ('snapshots', abs(random()) % 10000);
   CREATE INDEX snapshotsByParent ON snapshots (parent);
   CREATE TABLE images (name TEXT PRIMARY KEY, digest TEXT NOT NULL, target TEXT NOT NULL, labels TEXT NOT NULL,
     createdAt INTEGER NOT NULL, updatedAt INTEGER NOT NULL) WITHOUT ROWID;
   CREATE INDEX imagesByDigest ON images (digest);
   CREATE TABLE leases (id TEXT PRIMARY KEY, labels TEXT NOT NULL, createdAt INTEGER NOT NULL,
     expiresAt INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE leaseResources (lease TEXT NOT NULL REFERENCES leases (id) ON DELETE CASCADE, type TEXT NOT NULL,
     id TEXT NOT NULL, PRIMARY KEY (lease, type, id)) WITHOUT ROWID;`,
];

export class Database implements Metadata {
  readonly sql: DatabaseSync;
  #depth = 0;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o710 });
    this.sql = new DatabaseSync(path, { timeout: 5000 });
    // NORMAL: a commit is written to the log but not waited for; only a power cut can lose the latest, and never tears one.
    this.sql.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
    this.#migrate(path);
  }

  #migrate(path: string): void {
    const version = (this.sql.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
    if (version > migrations.length) {
      throw new FailedPrecondition(
        `database "${path}" was written by a newer version: its schema is ${version}, this version knows ${migrations.length}`,
      );
    }
    for (let next = version; next < migrations.length; next++) {
      this.transaction(() => {
        this.sql.exec(migrations[next]!);
        this.sql.exec(`PRAGMA user_version = ${next + 1}`);
      });
    }
  }

  collection<T>(name: string): Collection<T> {
    const get = this.sql.prepare('SELECT value FROM records WHERE collection = ? AND key = ?');
    const put = this.sql.prepare(
      'INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
    );
    const remove = this.sql.prepare('DELETE FROM records WHERE collection = ? AND key = ?');
    const list = this.sql.prepare('SELECT key, value FROM records WHERE collection = ? ORDER BY key');
    return {
      get: key => {
        const row = get.get(name, key) as { value: string } | undefined;
        return row && (JSON.parse(row.value) as T);
      },
      put: (key, value) => void put.run(name, key, JSON.stringify(value)),
      delete: key => remove.run(name, key).changes > 0,
      list: () =>
        (list.all(name) as { key: string; value: string }[]).map(row => ({
          key: row.key,
          value: JSON.parse(row.value) as T,
        })),
    };
  }

  transaction<R>(run: () => R): R {
    // A savepoint within a transaction, so that an inner failure that the caller catches undoes only the inner part.
    const nested = this.#depth > 0;
    const point = `point${this.#depth}`;
    this.sql.exec(nested ? `SAVEPOINT ${point}` : 'BEGIN IMMEDIATE');
    this.#depth++;
    try {
      const result = run();
      this.sql.exec(nested ? `RELEASE ${point}` : 'COMMIT');
      return result;
    } catch (err) {
      this.sql.exec(nested ? `ROLLBACK TO ${point}; RELEASE ${point}` : 'ROLLBACK');
      throw err;
    } finally {
      this.#depth--;
    }
  }

  close(): void {
    if (this.sql.isOpen) this.sql.close();
  }
}
