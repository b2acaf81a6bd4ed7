/** Tells which chunks of a volume points are in, and samples them, for an estimate of a look-up. */
import { runWithoutPause } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import { sampleChunks } from '../chunks/sample-chunks.ts';
import { ShardPlan } from '../chunks/shard-plan.ts';
import type { VolumeParts } from '../graphene/precomputed-volume.ts';
import type { SurveyedVolume } from '../jobs/estimate-types.ts';
import { planLinearInSteps } from '../points/linear-plan.ts';
import { planPoints } from '../points/plan.ts';
import { pointsOfTypes } from '../points/point-input.ts';
import { parseSharding } from '../precomputed/sharding.ts';

/** How the chunks of a volume are found. */
export interface SurveyOptions {
  /** Nanometres per unit of the points. */
  unit: Vec3;
  mip: number;
  isLinear: boolean;
}

/** How many points are planned at a time: 64 bytes each, to interpolate. */
const PLANNED_POINTS = 2 ** 20;

/** Returns a volume whose chunks can be counted and sampled. @throws The errors of `PointReader.openChunks`. */
export function surveyVolume(
  { reader }: Pick<VolumeParts, 'reader'>,
  { unit, mip, isLinear }: SurveyOptions,
): Pick<SurveyedVolume, 'url' | 'cellsOf' | 'minishardsOf' | 'sample' | 'isSharded'> {
  const { scale, source } = reader.openChunks(mip),
    sharding =
      scale.sharding === undefined ? undefined : parseSharding(scale.sharding, `scales[${mip}] of the info`),
    plan = sharding && new ShardPlan(scale, sharding);
  return {
    url: reader.urlOf(scale),
    isSharded: sharding !== undefined,
    *cellsOf(points, status, integers) {
      for (let from = 0; from < status.length; from += PLANNED_POINTS) {
        const end = Math.min(status.length, from + PLANNED_POINTS),
          part = pointsOfTypes(points.subarray(3 * from, 3 * end), integers?.subarray(3 * from, 3 * end)),
          own = status.subarray(from, end);
        yield isLinear
          ? runWithoutPause(planLinearInSteps(part, scale, unit, own)).voxels.cells
          : planPoints(part, scale, unit, own).cells;
      }
    },
    minishardsOf(cells) {
      if (!sharding) return new Float64Array(0);
      const { shards, minishards } = plan!.locate(Array.from(cells)),
        perShard = 2 ** sharding.minishardBits;
      return minishards.map(
        (minishard, k) =>
          ((shards[2 * k] + shards[2 * k + 1] * 2 ** 32) * perShard + minishard) % Number.MAX_SAFE_INTEGER,
      );
    },
    sample: (cells, options) => sampleChunks(source, cells, options),
  };
}
