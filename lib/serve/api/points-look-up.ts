/** Looks up the supervoxels and roots at points, as a caller sees a volume. */
import type { ScatteredPointsOptions } from '../../graphene/option-types.ts';
import type { DataType } from '../../precomputed/data-type.ts';
import type { FlatPoints } from '../../points/point-input.ts';
import type { LookupStats } from '../../points/result.ts';
import { outputNames } from '../../jobs/columns.ts';
import type { Caller } from '../access/caller.ts';
import type { BodyPoints } from '../bodies/body-rows.ts';
import type { ReplyColumn } from '../bodies/reply-columns.ts';
import { HttpRefusal } from '../http-errors.ts';
import type { ServedVolume } from '../volumes.ts';
import { applyPreset, toUint64, type Answered, type LookUp } from './look-up.ts';

/** What a request asks, apart from its points. */
export type PointsQuestion = Pick<
  ScatteredPointsOptions,
  'timestamp' | 'resolution' | 'mip' | 'stopLayer' | 'snap' | 'agglomerate'
>;

/** A long request is looked up in calls of this many points: each reads a chunk once, and takes about 60 bytes a point. */
const POINTS_PER_CALL = 2 ** 20;

const KINDS: Readonly<Record<string, ReplyColumn['kind']>> = { snapped_nm: 'number', status: 'status' };

/** The data types of labels. */
const LABEL_TYPES: readonly DataType[] = ['uint8', 'uint16', 'uint32', 'uint64'];

/** The part of a result that is answered. */
interface PointsFound {
  supervoxelIds?: BigUint64Array;
  values?: ArrayLike<number | bigint>;
  rootIds?: BigUint64Array;
  snappedNm?: Float32Array;
  status: Uint8Array;
  timestamp?: Date;
  stats: LookupStats;
}

/** The volume that is asked: a graph, or one without. */
interface Asked {
  scatteredPoints(points: FlatPoints, options: object): Promise<PointsFound>;
  lookupStream(source: AsyncIterable<{ points: FlatPoints }>, options: object): AsyncGenerator<PointsFound>;
}

/**
 * Prepares the look-up.
 * @throws HttpRefusal 403 if the caller may not ask for roots, but does; 400 for parameters that do not fit the volume.
 */
export function createPointsLookUp(
  served: ServedVolume,
  caller: Caller,
  question: PointsQuestion,
): LookUp<FlatPoints> {
  const { stopLayer, snap } = question,
    { volume, options, agglomerates } = chooseVolume(served, caller, question);
  const names = outputNames({
    kind: agglomerates ? 'graph' : 'supervoxels',
    stopLayer,
    snaps: snap !== undefined,
  });
  const how = { ...options, onError: 'status', borrow: true };
  return {
    columns: names.map((name) => ({ name, kind: KINDS[name] ?? 'id' })),
    once: async (rows, signal) =>
      toAnswered(await volume.scatteredPoints(rows.values, { ...how, signal }), rows),
    async *stream(batches, signal) {
      // The rows of the batches whose answers have not come.
      const waiting: BodyPoints[] = [];
      async function* source(): AsyncGenerator<{ points: FlatPoints }> {
        for await (const rows of batches) {
          waiting.push(rows);
          yield { points: rows.values };
        }
      }
      const streaming = { ...how, signal, concurrency: 1, pointsPerCall: POINTS_PER_CALL };
      for await (const found of volume.lookupStream(source(), streaming))
        yield toAnswered(found, waiting.shift()!);
    },
  };
}

function chooseVolume(
  served: ServedVolume,
  caller: Caller,
  { timestamp, stopLayer, agglomerate, resolution, mip, snap }: PointsQuestion,
): { volume: Asked; options: object; agglomerates: boolean } {
  const { name, opened } = served,
    reading = { resolution, mip, snap },
    ofRoots = Object.entries({ timestamp, stop_layer: stopLayer }).filter(([, value]) => value !== undefined);
  if (!opened.graph) {
    const [[parameter] = []] = agglomerate === undefined ? ofRoots : [['agglomerate']];
    if (parameter !== undefined)
      throw new HttpRefusal(400, `${parameter} is for graphs, and ${name} has none`);
    const { dataType, numChannels } = opened.plain;
    if (!LABEL_TYPES.includes(dataType) || numChannels !== 1)
      throw new HttpRefusal(
        400,
        `${name} holds no labels, but ${numChannels} channel${numChannels === 1 ? '' : 's'} of ${dataType}; labels are unsigned whole numbers`,
      );
    if (resolution === 'viewer')
      throw new HttpRefusal(400, `resolution viewer is for datastacks, and ${name} is none`);
    return { volume: opened.plain, options: reading, agglomerates: false };
  }
  if (agglomerate === false && ofRoots.length > 0)
    throw new HttpRefusal(400, `${ofRoots[0][0]} is for roots, which agglomerate=false leaves out`);
  const own = agglomerate === false ? undefined : caller.graphFor(served);
  if (own) return { volume: own, options: { ...reading, timestamp, stopLayer }, agglomerates: true };
  if (agglomerate === true || ofRoots.length > 0)
    throw new HttpRefusal(
      403,
      `you may not ask for roots of ${name}: agglomerate=false gives supervoxels only`,
    );
  return { volume: opened.graph, options: { ...reading, agglomerate: false }, agglomerates: false };
}

function toAnswered(found: PointsFound, { values: points, count, preset }: BodyPoints): Answered {
  const { status, timestamp, rootIds, snappedNm, stats } = found;
  applyPreset(status, preset);
  const columns = [
    found.supervoxelIds ?? toUint64(found.values!),
    ...(rootIds ? [rootIds] : []),
    ...(snappedNm ? [Float64Array.from(snappedNm)] : []),
    status,
  ];
  return { timestamp, status, stats, batch: { rows: count, columns, points } };
}
