/** Asks a served volume for points, as a caller sees it. */
import type { ScatteredPointsOptions } from '../../graphene/option-types.ts';
import type { PointInput } from '../../points/point-input.ts';
import type { Caller } from '../access/caller.ts';
import type { PointsAnswer } from '../bodies/points-answer.ts';
import { HttpRefusal } from '../http-errors.ts';
import type { ServedVolume } from '../volumes.ts';

/** What a request asks, apart from its points. */
export type PointsQuestion = Pick<
  ScatteredPointsOptions,
  'timestamp' | 'resolution' | 'mip' | 'stopLayer' | 'snap' | 'agglomerate' | 'signal'
>;

/**
 * Looks up points. Failures are statuses.
 * @throws HttpRefusal if the caller may not ask for roots; TypeError or RangeError for what cannot be used.
 */
export async function askPoints(
  points: PointInput,
  served: ServedVolume,
  caller: Caller,
  { timestamp, stopLayer, agglomerate, resolution, ...reading }: PointsQuestion,
): Promise<PointsAnswer> {
  const {
    name,
    opened: { graph, plain },
  } = served;
  const how = { ...reading, onError: 'status', borrow: true } as const;
  if (!graph) {
    for (const [parameter, value] of Object.entries({ timestamp, stop_layer: stopLayer, agglomerate }))
      if (value !== undefined) throw new TypeError(`${parameter} is for graphs, and ${name} has none`);
    if (resolution === 'viewer')
      throw new TypeError(`resolution viewer is for datastacks, and ${name} is none`);
    const { values, status, snappedNm } = await plain.scatteredPoints(points, { ...how, resolution });
    return { values, channels: plain.numChannels, status, snappedNm };
  }
  if (agglomerate === false) {
    const { supervoxelIds, status, snappedNm } = await graph.scatteredPoints(points, {
      ...how,
      resolution,
      agglomerate,
    });
    return { values: supervoxelIds, channels: 1, status, snappedNm };
  }
  const own = caller.graphFor(served);
  if (!own)
    throw new HttpRefusal(
      403,
      `you may not ask for roots of ${name}: add agglomerate=false to get supervoxels only`,
    );
  const { supervoxelIds, rootIds, status, snappedNm, ...rest } = await own.scatteredPoints(points, {
    ...how,
    resolution,
    timestamp,
    stopLayer,
  });
  return { values: supervoxelIds, channels: 1, roots: rootIds, status, snappedNm, timestamp: rest.timestamp };
}
