// Builds what ships: one CommonJS bundle per program in dist/ (the form that starts fastest), and one per worker thread.
// In development nothing needs this: bin/* run the sources where dist/ is missing.

import { globSync, readFileSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = import.meta.dirname;

/** Started by bin/NAME. */
const programs = {
  berth: 'src/client/main.ts',
  berthd: 'src/dockerd/main.ts',
  'berth-runc': 'src/runc/main.ts',
};

/** Started by `new Worker(new URL('./NAME-worker.ts', import.meta.url))`, which the plugin below points at the bundle. */
const workers = globSync('src/**/*-worker.ts', { cwd: root });

const workerUrls: Plugin = {
  name: 'worker-urls',
  setup(builder) {
    builder.onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replaceAll(
        /new URL\('[^']*?([a-z0-9-]+-worker)\.ts', import\.meta\.url\)/g,
        "new URL('./$1.cjs', import.meta.url)",
      ),
    }));
  },
};

rmSync(`${root}/dist`, { recursive: true, force: true });
await build({
  entryPoints: { ...programs, ...Object.fromEntries(workers.map(file => [basename(file, '.ts'), file])) },
  absWorkingDir: root,
  outdir: 'dist',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [workerUrls],
  // A CommonJS file has no import.meta: give it the values that the sources use.
  banner: { js: 'const __url=require("node:url").pathToFileURL(__filename).href;' },
  define: { 'import.meta.url': '__url', 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
});
