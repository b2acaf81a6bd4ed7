/**
 * A process that runs out of file descriptors during look-ups, and gets them back a little later.
 * `shortage.spec.ts` runs it with a low limit, since a shortage affects the whole process. It prints the
 * outcome of each look-up.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { openGraphene, openPrecomputed, statusText } from '../../lib/index.ts';
import { supervoxel } from '../../testing/tiny-volume.ts';
import { BEFORE } from '../../testing/graph-world.ts';

const [server, volumes, cacheDir] = process.argv.slice(2);
const warnings: string[] = [],
  results: Record<string, unknown> = {};
const logger = { warn: (message: string): void => void warnings.push(message) };

/** Uses up all descriptors while `work` begins, and frees them before a retry limit is reached. */
async function withoutDescriptors<T>(work: () => Promise<T>): Promise<T> {
  const held: number[] = [];
  try {
    for (;;) held.push(openSync(devNull, 'r'));
  } catch {
    // no descriptor is left
  }
  setTimeout(() => held.splice(0).forEach(closeSync), 150);
  return work();
}

const record = async (name: string, work: () => Promise<{ status: Uint8Array }>): Promise<void> => {
  results[name] = await work().then(
    ({ status }) => [...status].map(statusText),
    (error: unknown) => String(error),
  );
};

// Opened before the shortage: the first look-ups find no descriptor. The chunks in files need a decoder that
// is not loaded.
const files = await openPrecomputed(`${volumes}/seg_raw_u64_zstd`, { logger });
const { min } = files.bounds();
await record('chunks in files, and their decoder', () =>
  withoutDescriptors(() => files.scatteredPoints([min])),
);

const http = await openPrecomputed(`${server}/bucket`, { logger, cacheDir });
const points = [
  [17, 9, 5],
  [25, 17, 5],
  [33, 25, 5],
  [41, 33, 5],
] as const;
await record('chunks over HTTP, with a disk cache', () =>
  withoutDescriptors(() => http.scatteredPoints(points)),
);
await http.close();
const again = await openPrecomputed(`${server}/bucket`, { logger, cacheDir });
const kept = await again.scatteredPoints(points);
results['cache hits'] = kept.stats.cacheHits;

const graph = await openGraphene(`graphene://${server}/segmentation/table/world`, {
  token: null,
  timestamp: BEFORE,
  logger,
});
await record('roots', () =>
  withoutDescriptors(() => graph.roots([supervoxel([0, 0, 0], 1), supervoxel([1, 1, 0], 2)])),
);
const other = openGraphene(`graphene://${server}/segmentation/table/world`, {
  token: null,
  timestamp: BEFORE,
  logger,
});
await record('a volume opened during the shortage', () =>
  withoutDescriptors(async () => (await other).roots([supervoxel([0, 0, 0], 1)])),
);
await Promise.all([files.close(), again.close(), graph.close(), (await other).close()]);
console.log(JSON.stringify({ results, warnings }));
