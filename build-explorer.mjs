/** Builds the explorer, the page of `serve`, into `dist/explorer/`: a script, a style sheet, the page and its icon. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Builds the page. `folder` is made if it does not exist. */
export async function buildExplorer(folder) {
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [
      { in: 'explorer/main.ts', out: 'explorer' },
      { in: 'explorer/style.css', out: 'explorer' },
    ],
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: ['chrome111', 'firefox113', 'safari16.4'],
    legalComments: 'none', // licenses/explorer.txt has the notices
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'icon.svg']) copyFileSync(join('explorer', file), join(folder, file));
}
