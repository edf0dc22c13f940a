// All containers: found by id, name or prefix, with names that are reserved before a container exists.

import { Conflict, InvalidArgument, NotFound } from '../../errdefs/index.ts';
import { Container } from './container.ts';
import type { ContainerRecord } from './record.ts';

/** Where records are kept; containerd's metadata collection has these methods. */
export interface RecordStore<T> {
  put(key: string, value: T): void;
  delete(key: string): boolean;
  list(): { readonly key: string; readonly value: T }[];
}

export class ContainerStore {
  readonly #records: RecordStore<ContainerRecord>;
  readonly #byId = new Map<string, Container>();
  /** Name → id, reserved ones included. */
  readonly #names = new Map<string, string>();

  constructor(records: RecordStore<ContainerRecord>) {
    this.#records = records;
  }

  /** Reads all records; at the daemon's start. */
  load(): void {
    const records = this.#records.list().map(({ value }) => value);
    const age = (record: ContainerRecord): bigint => BigInt(record.createdNs);
    records.sort((a, b) => (age(a) < age(b) ? -1 : 1));
    for (const record of records) {
      this.#byId.set(record.id, new Container(record));
      this.#names.set(record.name, record.id);
    }
  }

  /** Takes a name for an id, or refuses: two creates of one name race to exactly one winner. */
  reserveName(name: string, id: string): void {
    const holder = this.#names.get(name);
    if (holder !== undefined && holder !== id) {
      throw new Conflict(
        `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
      );
    }
    this.#names.set(name, id);
  }

  isNameTaken(name: string): boolean {
    return this.#names.has(name);
  }

  releaseName(name: string, id: string): void {
    if (this.#names.get(name) === id) this.#names.delete(name);
  }

  /** Writes a new container; its name is reserved already. */
  add(container: Container): void {
    this.#records.put(container.id, container.record);
    this.#byId.set(container.id, container);
  }

  /** Writes what has changed. */
  save(container: Container): void {
    container.listed = undefined;
    if (this.#byId.has(container.id)) this.#records.put(container.id, container.record);
  }

  /** Forgets a container; its name is free at once. */
  remove(container: Container): void {
    this.#records.delete(container.id);
    this.#byId.delete(container.id);
    this.releaseName(container.record.name, container.id);
  }

  byId(id: string): Container | undefined {
    return this.#byId.get(id);
  }

  /** Newest first: the map has them in the order of their creation. */
  all(): Container[] {
    return [...this.#byId.values()].reverse();
  }

  get size(): number {
    return this.#byId.size;
  }

  /** By whole id, then name, then prefix of the id (moby daemon/container.go). */
  find(reference: string): Container {
    const found = this.lookUp(reference);
    if (found === undefined) throw new NotFound(`No such container: ${reference}`);
    return found;
  }

  lookUp(reference: string): Container | undefined {
    if (reference === '') throw new InvalidArgument("prefix can't be empty");
    const exact = this.#byId.get(reference);
    if (exact !== undefined) return exact;
    const named = this.#names.get(reference.startsWith('/') ? reference.slice(1) : reference);
    const byName = named === undefined ? undefined : this.#byId.get(named);
    if (byName !== undefined) return byName;
    if (!/^[0-9a-f]+$/.test(reference) || reference.length >= 64) return undefined;
    const matches: Container[] = [];
    for (const [id, container] of this.#byId) if (id.startsWith(reference)) matches.push(container);
    if (matches.length > 1) throw new InvalidArgument(`multiple IDs found with provided prefix: ${reference}`);
    return matches[0];
  }
}
