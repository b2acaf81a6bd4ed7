/**
 * `npm run interop [-- PART…]`: runs the real clients on our mocks and compares their answers with those of
 * graphene-points. Without names, it runs all parts except `pcg`.
 */
import { parseArgs } from 'node:util';
import { Comparison } from './comparison.ts';
import { makePython } from './environment.ts';
import type { Part } from './part.ts';

const {
  values: { 'pcg-ready': ready },
  positionals,
} = parseArgs({ allowPositionals: true, options: { 'pcg-ready': { type: 'string' } } });

/** Each part is imported only when it runs, so that a broken part does not stop the others. */
const PARTS: Record<string, () => Promise<Part>> = {
  cloudvolume: async () => (await import('./cloudvolume.ts')).cloudvolume,
  tensorstore: async () => (await import('./tensorstore.ts')).tensorstore,
  caveclient: async () => (await import('./caveclient.ts')).caveclient,
  cave: async () => (await import('./cave.ts')).cave,
  zfpc: async () => (await import('./zfpc.ts')).zfpc,
  builder: async () => (await import('./builder.ts')).builder,
  fpzip: async () => (await import('./fpzip.ts')).fpzip,
  tables: async () => (await import('./tables.ts')).tables,
  storage: async () => (await import('./storage.ts')).storage,
  uploads: async () => (await import('./uploads.ts')).uploads,
  ocdbt: async () => (await import('./ocdbt.ts')).ocdbt,
  transform: async () => (await import('./transform.ts')).transform,
  report: async () => (await import('./report.ts')).report,
  deploy: async () => (await import('./deploy.ts')).deploy,
  splits: async () => (await import('./supervoxel-splits.ts')).supervoxelSplits,
  neuroglancer: async () => (await import('./neuroglancer.ts')).neuroglancer,
  page: async () => (await import('./page.ts')).page,
  pcg: async () => (await import('./pcg.ts')).pcg(ready),
};
const BY_HAND = ['pcg'];

const selected =
  positionals.length > 0 ? positionals : Object.keys(PARTS).filter((name) => !BY_HAND.includes(name));
const unknown = selected.filter((name) => !Object.hasOwn(PARTS, name));
if (unknown.length > 0) {
  console.error(`unknown part ${unknown.join(', ')}. The parts are ${Object.keys(PARTS).join(', ')}`);
  process.exit(2);
}

// Made when the first part needs it.
let python: string | undefined;
let differing = 0;
for (const name of selected) {
  const began = performance.now();
  const comparison = new Comparison(name);
  try {
    await (
      await PARTS[name]()
    )({
      get python() {
        return (python ??= makePython());
      },
      comparison,
    });
    if (comparison.compared === 0) comparison.failed('nothing was compared');
  } catch (error) {
    comparison.failed(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  comparison.report();
  console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  differing += comparison.differing;
}
process.exitCode = differing > 0 ? 1 : 0;
