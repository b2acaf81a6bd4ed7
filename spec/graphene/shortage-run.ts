/**
 * A process that runs out of file descriptors while it is asked, and has them again a little later. Run by `shortage.spec.ts`, which lets it
 * have few of them: what Node remembers of a shortage, it remembers for the whole process. Prints what each look-up came to.
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

/** No descriptor is left while `work` begins; they come back before anybody has given up. */
async function withoutDescriptors<T>(work: () => Promise<T>): Promise<T> {
  const held: number[] = [];
  try {
    for (;;) held.push(openSync(devNull, 'r'));
  } catch {
    // none is left
  }
  setTimeout(() => held.splice(0).forEach(closeSync), 150);
  return work();
}

const told = async (name: string, work: () => Promise<{ status: Uint8Array }>): Promise<void> => {
  results[name] = await work().then(
    ({ status }) => [...status].map(statusText),
    (error: unknown) => String(error),
  );
};

// Opened while all is well: the first look-ups find nothing left. Each chunk of the one needs a decoder that is not loaded yet.
const files = await openPrecomputed(`${volumes}/seg_raw_u64_zstd`, { logger });
const { min } = files.bounds();
await told('chunks in files, and their decoder', () =>
  withoutDescriptors(() => files.scatteredPoints([min])),
);

const http = await openPrecomputed(`${server}/bucket`, { logger, cacheDir });
const points = [
  [17, 9, 5],
  [25, 17, 5],
  [33, 25, 5],
  [41, 33, 5],
] as const;
await told('chunks over HTTP, with a cache', () => withoutDescriptors(() => http.scatteredPoints(points)));
await http.close();
const again = await openPrecomputed(`${server}/bucket`, { logger, cacheDir });
const kept = await again.scatteredPoints(points);
results['kept in the cache'] = kept.stats.cacheHits;

const graph = await openGraphene(`graphene://${server}/segmentation/table/world`, {
  token: null,
  timestamp: BEFORE,
  logger,
});
await told('roots', () =>
  withoutDescriptors(() => graph.roots([supervoxel([0, 0, 0], 1), supervoxel([1, 1, 0], 2)])),
);
const other = openGraphene(`graphene://${server}/segmentation/table/world`, {
  token: null,
  timestamp: BEFORE,
  logger,
});
await told('a volume that is opened meanwhile', () =>
  withoutDescriptors(async () => (await other).roots([supervoxel([0, 0, 0], 1)])),
);
await Promise.all([files.close(), again.close(), graph.close(), (await other).close()]);
console.log(JSON.stringify({ results, warnings }));
