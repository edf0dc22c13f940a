import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** Bytes of the files below a directory; a file with several links counts once. */
export async function directorySize(directory: string): Promise<number> {
  const seen = new Set<number>();
  const walk = async (folder: string): Promise<number> => {
    let total = 0;
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const file = path.join(folder, entry.name);
      if (entry.isDirectory()) total += await walk(file);
      else {
        const stat = await lstat(file);
        if (stat.nlink > 1 && seen.has(stat.ino)) continue;
        seen.add(stat.ino);
        total += stat.size;
      }
    }
    return total;
  };
  return walk(directory);
}
