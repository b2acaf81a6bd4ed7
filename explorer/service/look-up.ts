/** Looks up all points of the page: pins the timestamp, cuts the points into requests, and hands on the answers. */
import type { Vec3 } from '../../lib/base/vec3.ts';
import { type Answers, type PointsAnswer } from '../answers/answers.ts';
import { comparedSupervoxels, markChanges } from '../answers/changes.ts';
import { groupPoints } from '../points/group-points.ts';
import { inParallel, type ParallelOptions, sleep } from './in-parallel.ts';
import type { ServiceClient } from './service-client.ts';
import type { VolumeInfo } from './volume-info.ts';

export interface LookUp {
  readonly client: ServiceClient;
  readonly info: VolumeInfo;
  readonly coordinates: Float64Array;
  /** Nanometres per unit of the coordinates. */
  readonly resolution: Vec3;
  readonly signal: AbortSignal;
  readonly onWait: ParallelOptions['onWait'];
}

/** Requests cover cells of this many chunks along each axis. */
const CHUNKS_PER_CELL = 2;
/** The most supervoxels of a request for roots. */
const MOST_IDS = 20_000;

/** Returns the time that a text means, so that all requests of a look-up have the same. */
export const pinTimestamp = ({ client, info, signal }: LookUp, text: string): Promise<string | undefined> =>
  info.roots ? client.timestamp(info.name, text, signal) : Promise.resolve(undefined);

/** Looks up the rows that have no answer yet. */
export async function lookUpPoints(
  { client, info, coordinates, resolution, signal, onWait }: LookUp,
  answers: Answers,
  timestamp: string | undefined,
  onAnswer: (rows: Uint32Array) => void,
): Promise<void> {
  const [scale] = info.scales,
    cell = scale.chunk_size.map(
      (size, axis) => (CHUNKS_PER_CELL * size * scale.resolution[axis]) / resolution[axis],
    );
  const waiting = Uint32Array.from(answers.status.keys()).filter((row) => answers.status[row] === 0);
  const groups = groupPoints(coordinates, { cell: cell as unknown as Vec3, rows: waiting });
  const ask = async (rows: Uint32Array, requestSignal: AbortSignal): Promise<void> => {
    const points = new Float64Array(3 * rows.length);
    for (const [k, row] of rows.entries()) points.set(coordinates.subarray(3 * row, 3 * row + 3), 3 * k);
    const answer: PointsAnswer = await client.points(info.name, points, {
      resolution,
      timestamp,
      signal: requestSignal,
    });
    requestSignal.throwIfAborted();
    answers.set(rows, answer);
    onAnswer(rows);
  };
  await inParallel(groups, ask, { signal, onWait, sleep });
}

/** Looks up the roots of the same supervoxels at a second timestamp, and marks the rows that differ. */
export async function compareRoots(
  { client, info, signal, onWait }: LookUp,
  answers: Answers,
  timestamp: string,
): Promise<{ compared: number; changed: number }> {
  const indices = comparedSupervoxels(answers),
    roots = new Map<number, string | null>(),
    parts: Uint32Array[] = [];
  for (let from = 0; from < indices.length; from += MOST_IDS)
    parts.push(indices.subarray(from, from + MOST_IDS));
  const ask = async (part: Uint32Array, requestSignal: AbortSignal): Promise<void> => {
    const ids = Array.from(part, (index) => answers.supervoxels.texts[index]);
    const answer = await client.roots(info.name, ids, timestamp, requestSignal);
    if (answer.root_id?.length !== ids.length)
      throw new TypeError(`The service sent roots that do not match the ${ids.length} supervoxels.`);
    for (const [k, index] of part.entries())
      roots.set(index, answer.status[k] === 'ok' ? answer.root_id[k] : null);
  };
  await inParallel(parts, ask, { signal, onWait, sleep });
  return markChanges(answers, roots);
}
