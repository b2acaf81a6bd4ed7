/** Decides how a graph whose supervoxels can split is opened: with its current voxels, or as if none had split. */
import { InfoError } from '../base/errors.ts';
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import { isStore } from '../storage/store.ts';
import type { VoxelsAt } from './voxels-at.ts';

/** Values of the option `ocdbt`. */
export const OCDBT_CHOICES = ['ignore'] as const;
export type OcdbtChoice = (typeof OCDBT_CHOICES)[number];

/** The options that matter. */
interface Choice {
  ocdbt?: OcdbtChoice;
  dataDir?: string;
  storage?: unknown;
  voxelsAt?: VoxelsAt;
}

/**
 * Returns whether the current voxels are read, which are in OCDBT. With `ocdbt: 'ignore'`, warns instead.
 * @throws InfoError UNSUPPORTED for options that would read other voxels.
 */
export function readsSplitVoxels(
  { ocdbt }: GraphInfo,
  { ocdbt: choice, dataDir, storage, voxelsAt }: Choice,
  url: string,
  warn: (message: string) => void,
): boolean {
  const refuse = (what: string): InfoError => new InfoError('UNSUPPORTED', `info at ${url} ${what}`, url);
  if (!ocdbt) {
    if (voxelsAt === undefined || voxelsAt === 'latest') return false;
    throw refuse(
      'has no ocdbt_seg: supervoxels of this graph cannot split, and its voxels have one version only. Leave out voxelsAt (--voxels-at)',
    );
  }
  const what = 'has ocdbt_seg: supervoxels of this graph can split';
  if (choice === 'ignore') {
    if (voxelsAt !== undefined)
      throw refuse(
        `${what}. voxelsAt (--voxels-at) names a version of its voxels, which ocdbt: 'ignore' (--ocdbt ignore) does not read`,
      );
    warn(
      `info at ${url} ${what}. The graph is opened with its unsplit watershed; supervoxels that did split have the status stale_supervoxel`,
    );
    return false;
  }
  const other =
    dataDir !== undefined ? 'dataDir (--data-dir)' : isStore(storage) ? 'a store as storage' : undefined;
  if (other !== undefined)
    throw refuse(
      `${what}, and its current voxels are where the server says. ${other} would read others: leave it out, or open the unsplit watershed with ocdbt: 'ignore' (--ocdbt ignore)`,
    );
  return true;
}
