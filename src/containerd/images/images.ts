import { AlreadyExists } from '../../errdefs/index.ts';
import type { Descriptor } from '../../oci/index.ts';
import type { Labels } from '../content/content-store.ts';
import type { Database } from '../metadata/database.ts';
import type { Image, ImageStore } from './image-store.ts';

interface Row {
  readonly name: string;
  readonly target: string;
  readonly labels: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const toImage = (row: Row): Image => ({
  name: row.name,
  target: JSON.parse(row.target) as Descriptor,
  labels: JSON.parse(row.labels) as Labels,
  createdAt: new Date(row.createdAt),
  updatedAt: new Date(row.updatedAt),
});

/** Names of images as rows of the database. */
export class LocalImageStore implements ImageStore {
  readonly #database: Database;
  readonly #get;
  readonly #list;
  readonly #byTarget;
  readonly #upsert;
  readonly #delete;

  constructor(database: Database) {
    this.#database = database;
    const { sql } = database;
    this.#get = sql.prepare('SELECT * FROM images WHERE name = ?');
    this.#list = sql.prepare('SELECT * FROM images ORDER BY name');
    this.#byTarget = sql.prepare('SELECT * FROM images WHERE digest = ? ORDER BY name');
    this.#upsert = sql.prepare(
      `INSERT INTO images (name, digest, target, labels, createdAt, updatedAt) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET digest = excluded.digest, target = excluded.target, labels = excluded.labels,
         updatedAt = excluded.updatedAt`,
    );
    this.#delete = sql.prepare('DELETE FROM images WHERE name = ?');
  }

  get(name: string): Image | undefined {
    const row = this.#get.get(name) as Row | undefined;
    return row && toImage(row);
  }

  list(): Image[] {
    return (this.#list.all() as unknown as Row[]).map(toImage);
  }

  listByTarget(digest: string): Image[] {
    return (this.#byTarget.all(digest) as unknown as Row[]).map(toImage);
  }

  create(image: { name: string; target: Descriptor; labels?: Labels }): Image {
    return this.#database.transaction(() => {
      if (this.get(image.name) !== undefined) throw new AlreadyExists(`image "${image.name}" already exists`);
      this.#write(image);
      return this.get(image.name)!;
    });
  }

  put(image: { name: string; target: Descriptor; labels?: Labels }): Image | undefined {
    return this.#database.transaction(() => {
      const before = this.get(image.name);
      this.#write(image);
      return before;
    });
  }

  delete(name: string): boolean {
    return this.#delete.run(name).changes > 0;
  }

  #write({ name, target, labels = {} }: { name: string; target: Descriptor; labels?: Labels }): void {
    const now = Date.now();
    this.#upsert.run(name, target.digest, JSON.stringify(target), JSON.stringify(labels), now, now);
  }
}
