/**
 * Checks the supervoxels of one call against the graph chunks of their points, and warns when many do not
 * match.
 */
import { cooperativeRunner } from '../base/cooperative-work.ts';
import { wordsOf } from '../base/uint64.ts';
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import type { PointQuery, PointValues } from '../points/point-query.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import { markSuspects, createSuspectMarker } from './suspect.ts';

/** The check of one call's supervoxels. */
export class SupervoxelCheck {
  readonly #graph: GraphInfo;
  readonly #isWanted: boolean;
  #suspects = 0;

  constructor(graph: GraphInfo, isWanted: boolean) {
    this.#graph = graph;
    this.#isWanted = isWanted;
  }

  /**
   * Checks only the graph's own mip. A voxel of a coarser scale is a sample, and may lie in several graph
   * chunks.
   */
  #applies(scale: Scale): boolean {
    return this.#isWanted && scale.mip === this.#graph.cvMip;
  }

  /**
   * Creates the check that marks points as their chunks are read; undefined when there is nothing to check.
   */
  readonly createPointCheck: PointQuery['createPointCheck'] = ({ plan, scale, words, status }) => {
    const mark = this.#applies(scale)
      ? createSuspectMarker(plan, scale, this.#graph, words as Uint32Array, status)
      : undefined;
    return mark && ((...points) => (this.#suspects += mark(...points)));
  };

  /**
   * Checks snapped labels at the voxels that they come from, and warns when more than 1% of all points are
   * suspect.
   */
  async finish(
    { scale, status, snapped, values }: PointValues,
    warn: (message: string) => void,
  ): Promise<void> {
    if (snapped && this.#applies(scale)) {
      const moved = await cooperativeRunner.run(snapped.plan()),
        mark = createSuspectMarker(moved, scale, this.#graph, wordsOf(values as BigUint64Array), status);
      this.#suspects += await cooperativeRunner.run(markSuspects(moved, mark));
    }
    const message = describeSuspects(this.#suspects, status.length);
    if (message !== undefined) warn(message);
  }
}

/** Describes that more than 1% of all points are suspect; undefined if fewer are. */
export const describeSuspects = (suspects: number, points: number): string | undefined =>
  suspects * 100 > points
    ? `${suspects} of ${points} supervoxel IDs do not belong to the graph chunk of their point: does this watershed belong to this graph?`
    : undefined;
