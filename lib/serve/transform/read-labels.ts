/**
 * Reads the labels at the positions of a request. The answers of the transform service have no status, and 0
 * means that there is no label; so a request with a chunk that could not be read fails as a whole.
 */
import { PartialResultError } from '../../base/errors.ts';
import type { OpenedVolume } from '../../lookup-table/open-volume.ts';
import type { PointInput } from '../../points/point-input.ts';
import type { LookupStats } from '../../points/result.ts';
import { PointStatus } from '../../points/status.ts';
import { HttpRefusal } from '../http-errors.ts';
import type { LabelArray } from './transform-answers.ts';
import type { TransformDataset } from './transform-dataset.ts';

/** The request that asks for labels. */
export interface ReadingRequest {
  signal: AbortSignal;
  /** Receives the statuses of the positions, and what was read for them. */
  note: (status: Uint8Array, stats: LookupStats) => void;
}

/**
 * Returns one label per position; 0 outside the volume, at stored zeros, in chunks that are not stored, and for
 * positions that are not finite. LabelArray of a graph are supervoxels.
 *
 * @param mip The mip of the volume.
 * @throws HttpRefusal 502 if a chunk could not be read; what `scatteredPoints` throws.
 */
export async function readLabels(
  { graph, plain }: OpenedVolume,
  { voxelSize }: Pick<TransformDataset, 'voxelSize'>,
  mip: number,
  positions: PointInput,
  { signal, note }: ReadingRequest,
): Promise<LabelArray> {
  const options = { resolution: voxelSize, mip, signal, borrow: true };
  try {
    if (graph) {
      const { supervoxelIds, status, stats } = await graph.scatteredPoints(positions, {
        ...options,
        agglomerate: false,
      });
      note(status, stats);
      return supervoxelIds;
    }
    const { values, status, stats } = await plain.scatteredPoints(positions, options);
    note(status, stats);
    return values as LabelArray;
  } catch (error) {
    if (!(error instanceof PartialResultError)) throw error;
    const { status, stats } = error.result as { status: Uint8Array; stats: LookupStats },
      failed = status.filter((code) => code === PointStatus.failed).length;
    note(status, stats);
    const [first] = error.causes.values();
    throw new HttpRefusal(
      502,
      `${failed} of ${status.length} positions could not be read, so there is no answer. ${first.message}`,
    );
  }
}
