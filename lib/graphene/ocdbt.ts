/**
 * The check for version-3 graphs, whose supervoxels can split. This version cannot read their current
 * watershed.
 */
import { InfoError } from '../base/errors.ts';
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';

/** Values of the option `ocdbt`. */
export const OCDBT_CHOICES = ['ignore'] as const;
export type OcdbtChoice = (typeof OCDBT_CHOICES)[number];

/**
 * Checks a graph's info. With `'ignore'`, warns instead.
 * @throws InfoError UNSUPPORTED for a graph with `ocdbt_seg`.
 */
export function checkOcdbt(
  { ocdbt }: GraphInfo,
  choice: OcdbtChoice | undefined,
  url: string,
  warn: (message: string) => void,
): void {
  if (!ocdbt) return;
  const what = `info at ${url} has ocdbt_seg: supervoxels of this graph can split, and its current watershed is stored in OCDBT, which this version does not read`;
  if (choice === undefined)
    throw new InfoError(
      'UNSUPPORTED',
      `${what}. A later version will. ocdbt: 'ignore' (--ocdbt ignore) opens the graph as if no supervoxel had split; supervoxels that did split, and their roots, are then outdated`,
      url,
    );
  warn(
    `${what}. The graph is opened as if no supervoxel had split; supervoxels that did split, and their roots, are outdated`,
  );
}
