/** Keeps the points of a table on disk, one sorted run per batch of rows, and reads any part of a run. */
import { crc32 } from 'node:zlib';
import { lowerBound, type SortedRun, type SortKeys } from './sorted-run.ts';
import type { TemporaryFile } from './temporary-file.ts';

/** What stays in memory of a run. */
export interface RunIndex {
  /** The number of the first row of its batch, and the number of its rows. */
  firstRow: number;
  rows: number;
  /** The number of points that are looked up. */
  count: number;
  presets: number;
  samples: Float64Array;
  areIntegers: boolean;
  hasTimestamps: boolean;
  /** Where the run begins in the file. */
  offset: number;
  /** The CRC-32 of its bytes in the file. */
  crc: number;
}

/** A part of a run: its points from `from` to before `end`. */
export interface RunSlice {
  run: number;
  from: number;
  end: number;
}

/** The points of several slices, one slice after the other. */
export interface LoadedPoints {
  /** x, y and z of each point. */
  points: Int32Array | Float64Array;
  timestamps?: Float64Array;
}

/** The sorted runs of one table. */
export class PointSpill {
  readonly #file: TemporaryFile;
  /** The number of points from one sampled key of a run to the next. */
  readonly samplePoints: number;
  readonly #runs: RunIndex[];
  #end: number;

  /** @param runs The runs that the file has, in order. Those without samples can be read, but not cut. */
  constructor(file: TemporaryFile, samplePoints: number, runs: readonly RunIndex[] = []) {
    this.#file = file;
    this.samplePoints = samplePoints;
    this.#runs = [...runs];
    const last = runs.at(-1);
    this.#end = last ? last.offset + bytesOfRun(last) : 0;
  }

  get runs(): readonly RunIndex[] {
    return this.#runs;
  }

  /** The size of all runs, in bytes. */
  get bytes(): number {
    return this.#end;
  }

  /** Appends the run of a batch. */
  async append(run: SortedRun, { firstRow, rows }: { firstRow: number; rows: number }): Promise<void> {
    const { places, coordinates, timestamps, presetPlaces, presetStatus, samples } = run;
    const index: RunIndex = {
      firstRow,
      rows,
      count: places.length,
      presets: presetPlaces.length,
      samples,
      areIntegers: coordinates instanceof Int32Array,
      hasTimestamps: timestamps !== undefined,
      offset: this.#end,
      crc: 0,
    };
    for (const part of [
      places,
      coordinates,
      ...(timestamps ? [timestamps] : []),
      presetPlaces,
      presetStatus,
    ]) {
      if (part.length === 0) continue; // crc32 would begin anew with it
      await this.#file.write(bytesOf(part), this.#end);
      index.crc = crc32(bytesOf(part), index.crc);
      this.#end += part.byteLength;
    }
    this.#runs.push(index);
  }

  /** Reads the points of slices. */
  async readPoints(slices: readonly RunSlice[]): Promise<LoadedPoints> {
    const count = slices.reduce((sum, { from, end }) => sum + end - from, 0);
    const areIntegers = slices.every(({ run }) => this.#runs[run].areIntegers),
      points = areIntegers ? new Int32Array(3 * count) : new Float64Array(3 * count),
      hasTimestamps = this.#runs.some((run) => run.hasTimestamps),
      timestamps = hasTimestamps ? new Float64Array(count).fill(NaN) : undefined;
    let at = 0;
    for (const { run, from, end } of slices) {
      const index = this.#runs[run],
        { coordinates, timestamps: times } = offsetsIn(index);
      const target = points.subarray(3 * at, 3 * (at + end - from));
      if (index.areIntegers && !areIntegers) {
        const whole = new Int32Array(target.length);
        await this.#file.read(bytesOf(whole), coordinates + 12 * from);
        target.set(whole);
      } else await this.#file.read(bytesOf(target), coordinates + target.BYTES_PER_ELEMENT * 3 * from);
      if (timestamps && index.hasTimestamps)
        await this.#file.read(bytesOf(timestamps.subarray(at, at + end - from)), times + 8 * from);
      at += end - from;
    }
    return { points, timestamps };
  }

  /** Reads the places of points of a run, in its order. */
  async readPlaces({ run, from, end }: RunSlice): Promise<Uint32Array> {
    const places = new Uint32Array(end - from);
    await this.#file.read(bytesOf(places), this.#runs[run].offset + 4 * from);
    return places;
  }

  /** Reads the places of one batch that are not looked up, and their statuses. */
  async readPresets(run: number): Promise<{ places: Uint32Array; status: Uint8Array }> {
    const index = this.#runs[run],
      places = new Uint32Array(index.presets),
      status = new Uint8Array(index.presets);
    const { presets } = offsetsIn(index);
    await this.#file.read(bytesOf(places), presets);
    await this.#file.read(status, presets + places.byteLength);
    return { places, status };
  }

  /** Returns whether the bytes of a run are those that were written. */
  async isIntact(run: number): Promise<boolean> {
    const index = this.#runs[run],
      piece = new Uint8Array(Math.min(PIECE_BYTES, bytesOfRun(index)));
    let crc = 0;
    for (let at = 0; at < bytesOfRun(index); at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, bytesOfRun(index) - at));
      await this.#file.read(part, index.offset + at);
      crc = crc32(part, crc);
    }
    return crc === index.crc;
  }

  /**
   * Finds where a run must be cut: for each boundary, the number of its points with a lower key.
   * @param boundaries Ascending.
   */
  async cutRun(
    run: number,
    boundaries: readonly number[],
    keysOf: (points: Int32Array | Float64Array) => SortKeys,
  ): Promise<number[]> {
    const { samples, count } = this.#runs[run];
    let loaded = -1,
      keys: Float64Array = new Float64Array(0);
    const cuts: number[] = [];
    for (const boundary of boundaries) {
      const sample = lowerBound(samples, boundary);
      if (sample === 0) {
        cuts.push(0);
        continue;
      }
      // The cut is behind the last sample below the boundary, and not behind the next one.
      const from = (sample - 1) * this.samplePoints;
      if (loaded !== sample) {
        loaded = sample;
        const { points } = await this.readPoints([
          { run, from, end: Math.min(count, from + this.samplePoints) },
        ]);
        const placed = keysOf(points);
        keys = Float64Array.from(placed.ordinals, (ordinal) => placed.keys[ordinal]);
      }
      cuts.push(from + lowerBound(keys, boundary));
    }
    return cuts;
  }
}

/** Returns where the parts of a run begin in the file. */
function offsetsIn({ offset, count, areIntegers, hasTimestamps }: RunIndex): {
  coordinates: number;
  timestamps: number;
  presets: number;
} {
  const coordinates = offset + 4 * count,
    timestamps = coordinates + (areIntegers ? 12 : 24) * count;
  return { coordinates, timestamps, presets: timestamps + (hasTimestamps ? 8 * count : 0) };
}

/** Returns the size of a run in the file. */
function bytesOfRun(index: RunIndex): number {
  return offsetsIn(index).presets - index.offset + 5 * index.presets;
}

const PIECE_BYTES = 2 ** 22;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
