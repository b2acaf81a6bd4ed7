/** The recorded graph and its bucket on loopback, for specs of the command line. */
import { createMockBucket, createMockChunkedGraph, serveMocks, type ServedMocks } from '../../mocks/index.ts';
import { epochs, pcgGraph, supervoxels } from '../../testing/pcg-graph.ts';

export const graph = createMockChunkedGraph({
  ...pcgGraph,
  dataDir: '{HOST}/bucket',
  clock: () => Date.parse('2026-11-22T12:00:00Z'),
});
export const bucket = createMockBucket({ files: {} });

export async function servePcg(): Promise<ServedMocks & { path: string }> {
  const served = await serveMocks({ '/segmentation': graph, '/bucket': bucket });
  return Object.assign(served, { path: `graphene://${served.url}/segmentation/table/${pcgGraph.table}` });
}

/** Clears all faults and requests, for the next spec. */
export function clearMocks(): void {
  graph.faults.length = bucket.faults.length = 0;
  graph.log.requests.length = bucket.log.requests.length = 0;
}

export const isoOf = (epoch: number): string =>
  new Date(Math.round(epochs[epoch].timestamp * 1000)).toISOString();
export const LAST = epochs.length - 1;

/** The ID of supervoxel n, and its root in an epoch. */
export const sv = (n: number): string => String(supervoxels[n]);
export const rootAt = (n: number, epoch: number): string => epochs[epoch].root[n];
export const count = supervoxels.length;

/**
 * For each root of the first epoch that the last epoch does not have: the root of the last epoch with most of
 * its supervoxels, and their share. The smaller ID wins a tie.
 */
export function successors(): Map<string, { root: string; share: number }> {
  const votes = new Map<string, string[]>();
  for (let n = 0; n < count; n++)
    votes.set(rootAt(n, 0), [...(votes.get(rootAt(n, 0)) ?? []), rootAt(n, LAST)]);
  const found = new Map<string, { root: string; share: number }>();
  for (const [root, list] of votes) {
    if (epochs[LAST].root.includes(root)) continue;
    const [best] = [...new Set(list)].sort(
      (a, b) => votesFor(list, b) - votesFor(list, a) || (BigInt(a) < BigInt(b) ? -1 : 1),
    );
    found.set(root, { root: best, share: votesFor(list, best) / list.length });
  }
  return found;
}

const votesFor = (list: readonly string[], root: string): number => list.filter((one) => one === root).length;
