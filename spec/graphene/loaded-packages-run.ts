/**
 * Opens volumes one after the other, reads a point of each, and prints which packages that loaded. A process of its
 * own shows only what it loads itself.
 */
import { createRequire } from 'node:module';
import { openPrecomputed } from '../../lib/index.ts';

const require = createRequire(import.meta.url);
declare const WebAssembly: { compile: (bytes: Uint8Array) => Promise<unknown> };
let compiled = 0;
const { compile } = WebAssembly;
WebAssembly.compile = (bytes) => {
  compiled++;
  return compile(bytes);
};

const found: unknown[] = [];
for (const folder of process.argv.slice(2)) {
  await using volume = await openPrecomputed(folder, { workers: 0, logger: { warn: () => undefined } });
  const [scale] = volume.scales;
  const { status } = await volume.scatteredPoints([scale.voxelOffset], {
    mip: 0,
    resolution: scale.resolution,
  });
  const scripts = Object.keys(require.cache).filter((path) => path.includes('codec-libjpeg-turbo'));
  found.push({ status: [...status], compiled, scripts: scripts.length });
}
console.log(JSON.stringify(found));
