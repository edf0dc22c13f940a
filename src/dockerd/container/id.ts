import { randomBytes } from 'node:crypto';

/** 64 random hex digits. The first 12 serve as the host name, so they are never all decimal: such a name would be read as a number (RFC 1123). */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^\d+$/.test(id.slice(0, 12))) return id;
  }
}

export const shortId = (id: string): string => id.slice(0, 12);
