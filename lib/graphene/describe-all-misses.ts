/** Describes the misses of many calls together, as a volume describes those of one call. */
import type { Vec3 } from '../base/vec3.ts';
import { describeMisses, describeMissingChunks } from '../points/miss-warnings.ts';
import type { PointReader } from '../points/point-reader.ts';
import type { LookupStats } from '../points/result.ts';
import { PointStatus } from '../points/status.ts';
import { finestResolution, scaleAt, type VolumeInfo } from '../precomputed/volume-info.ts';
import { describeSuspects } from './supervoxel-check.ts';

/** The volume whose misses are described, and how it was read. */
export interface MissContext {
  volume: { info: VolumeInfo; reader: Pick<PointReader, 'urlOf'>; mip: number };
  /** Nanometres per unit of the points. @default voxels of mip 0 */
  unit: Vec3 | undefined;
  mip: number | undefined;
}

/**
 * Describes what looks wrong about the answers: most points hit nothing.
 * @param counts The number of points per status code.
 */
export function describeAllMisses(
  { volume: { info, reader, mip: ownMip }, unit, mip }: MissContext,
  counts: ArrayLike<number>,
  points: number,
  chunks: number,
): string[] {
  const { outOfBounds, invalidPoint, notLookedUp, invalidTimestamp, missingChunk } = PointStatus;
  const outside = counts[outOfBounds],
    missing = counts[missingChunk],
    scale = scaleAt(info.scales, mip ?? ownMip);
  const inside = points - outside - counts[invalidPoint] - counts[notLookedUp] - counts[invalidTimestamp];
  return [
    describeMisses(
      { outside, background: counts[PointStatus.background], points },
      scale,
      unit ?? finestResolution(info.scales),
    ),
    chunks > 1 && missing > 0 && missing === inside
      ? describeMissingChunks(chunks, reader.urlOf(scale))
      : undefined,
    describeSuspects(counts[PointStatus.suspect], points),
  ].filter((message) => message !== undefined);
}

/** From this many points on, the points of a stream are representative. */
const ENOUGH_POINTS = 1000;

/** Warns about the misses of a stream once: as soon as it has had enough points, or at its end. */
export class StreamMisses {
  readonly #context: MissContext;
  readonly #warn: (message: string) => void;
  readonly #counts = new Float64Array(256);
  #points = 0;
  #chunks = 0;
  #isDone = false;

  constructor(context: MissContext, warn: (message: string) => void) {
    this.#context = context;
    this.#warn = warn;
  }

  /** Notes the result of a call. */
  note({ status, stats }: { status: Uint8Array; stats: LookupStats }): void {
    if (this.#isDone) return;
    for (const code of status) this.#counts[code]++;
    this.#points += status.length;
    this.#chunks += stats.chunks;
    if (this.#points >= ENOUGH_POINTS) this.report();
  }

  /** Warns, unless it has done so. */
  report(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    for (const message of describeAllMisses(this.#context, this.#counts, this.#points, this.#chunks))
      this.#warn(message);
  }
}
