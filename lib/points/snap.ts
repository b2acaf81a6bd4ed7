/**
 * Points on background that take the nearest label within a radius. Each looks around in its own chunk while that is here for its own
 * label, then in those neighbours that could hold something nearer, the near ones first: a label found there spares the others.
 *
 * A chunk that is not stored holds no label. One that cannot be read might: points for which it could hold something nearer than what
 * they found have failed.
 */
import { deadlineOf } from '../base/deadline.ts';
import { ChunkError } from '../base/errors.ts';
import { byStretches, pacer, type Paced } from '../base/pacer.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { ChunkConsumer, ChunkCost, ChunkReader } from '../chunks/chunk-reader.ts';
import type { Codec } from '../codecs/codec.ts';
import { cellBounds, gridShape } from '../precomputed/grid.ts';
import type { Scale } from '../precomputed/info.ts';
import { isLabel, type BallSearch, type Look, type Seeker } from './ball-search.ts';
import { pointSource } from './input.ts';
import { planning, type PointPlan } from './plan.ts';
import type { ChunkFailure, ReadRequest } from './read-points.ts';
import { ProgressTeller } from './progress.ts';
import { PointStatus } from './status.ts';

export interface SnapRequest extends Omit<ReadRequest, 'look' | 'judge'> {
  scale: Scale;
  search: BallSearch;
}

/** What a call has cost; `chunks` counts those asked for. */
type Spent = ChunkCost & { chunks: number };

/** Not looking for a label. */
const NOT_SEEKING = 0xffffffff;
/** Looks that are planned and held at a time: some 20 MB. */
const MAX_LOOKS = 2 ** 17;
/** Chunks up to twice as far as the nearest one are read together: eight times its rank. */
const TOGETHER = 8;
/** Points between two pauses, where each takes about a microsecond. */
const STRETCH = 1024;

/** Voxels of a cell, counted from the volume's first. */
const boundsFromZero = ({ size, chunkSize }: Scale, cell: number): { min: Vec3; max: Vec3 } =>
  cellBounds({ size, chunkSize, voxelOffset: [0, 0, 0] }, cell);

export class Snap {
  readonly #request: SnapRequest;
  /** Of the nearest label by point; the size of the ball while there is none. */
  readonly #ranks: Uint32Array;
  /** Points that could not look into a chunk: nothing is known from that rank on. */
  readonly #blocked = new Map<number, { rank: number; error: ChunkError }>();
  readonly #progress: ProgressTeller<{ chunks: number; chunksDone: number }>;
  #chunksDone: number;

  constructor(request: SnapRequest) {
    this.#request = request;
    this.#progress = new ProgressTeller(this.#request.onProgress);
    this.#ranks = new Uint32Array(request.status.length).fill(NOT_SEEKING);
    this.#chunksDone = request.plan.cells.length;
  }

  /** Looks around the points of a chunk that have no label, in the chunk itself. Called with its bytes once their labels are written. */
  *inside(ordinal: number, bytes: Uint8Array, codec: Codec): Paced {
    const {
      plan: { cells, starts, order },
      out,
      status,
      search,
    } = this.#request;
    const width = out.length / status.length;
    const first = starts[ordinal];
    yield* byStretches(starts[ordinal + 1] - first, (from, end) => {
      for (let k = first + from; k < first + end; k++)
        if (!isLabel(out, order[k] * width, width)) this.#ranks[order[k]] = search.ball.size;
    });
    let looks: Look[] = [];
    const cell = cells[ordinal];
    const look = function* (this: Snap): Paced {
      try {
        yield* this.#search(cell, bytes, codec, looks);
      } catch (error) {
        this.#block(looks, ChunkError.of(this.#request.source.urlOf(cell), error));
      }
      looks = [];
    }.bind(this);
    for (const seeker of this.#seekers(ordinal)) {
      looks.push({ seeker, cell, first: 1 });
      if (looks.length % STRETCH === 0) yield;
      if (looks.length === MAX_LOOKS) yield* look();
    }
    yield* look();
  }

  /**
   * Looks around in the neighbours, once all points were read. The first of them are registered before the first await.
   * @param spent Counts of the call so far, added to.
   * @throws signal.reason, or what `onProgress` threw.
   */
  async outside(reader: ChunkReader, spent: Spent): Promise<void> {
    const { plan, signal } = this.#request;
    let looks: Look[] = [],
      sought = 0;
    for (let ordinal = 0; ordinal < plan.cells.length; ordinal++)
      for (const seeker of this.#seekers(ordinal)) {
        this.#addLooks(seeker, plan.cells[ordinal], looks);
        if (++sought % STRETCH === 0) await breathe(signal);
        if (looks.length < MAX_LOOKS) continue;
        await this.#read(reader, looks, spent);
        looks = [];
      }
    await this.#read(reader, looks, spent);
  }

  /**
   * Settles the points that looked: `ok`, `failed`, or left on background.
   * @returns How far each point's label is: 0 for its own, NaN for none.
   */
  *settle(): Paced<{ snappedNm: Float32Array; failures: ChunkFailure[] }> {
    const {
      status,
      out,
      search: { ball },
    } = this.#request;
    const width = out.length / status.length;
    const failed = new Map<ChunkError, number[]>();
    for (const [point, { rank, error }] of this.#blocked) {
      if (this.#ranks[point] < rank) continue;
      this.#ranks[point] = NOT_SEEKING;
      out.fill(0, point * width, (point + 1) * width);
      status[point] = PointStatus.failed;
      const points = failed.get(error);
      if (points) points.push(point);
      else failed.set(error, [point]);
    }
    const snappedNm = new Float32Array(status.length).fill(NaN);
    yield* byStretches(status.length, (from, end) => {
      for (let point = from; point < end; point++) {
        const rank = this.#ranks[point];
        if (rank < ball.size) {
          status[point] = PointStatus.ok;
          snappedNm[point] = ball.distanceNm(rank);
        } else if (status[point] === PointStatus.ok || status[point] === PointStatus.suspect)
          snappedNm[point] = 0;
      }
    });
    return {
      snappedNm,
      failures: Array.from(failed, ([error, points]) => ({ error, points: Uint32Array.from(points).sort() })),
    };
  }

  /** The voxels that the snapped points got their labels from, as a plan. */
  *snappedPlan(): Paced<PointPlan> {
    const {
      plan,
      scale,
      search: { ball },
    } = this.#request;
    const points: number[] = [],
      voxels: number[] = [],
      at = new Int32Array(3);
    for (let ordinal = 0; ordinal < plan.cells.length; ordinal++)
      for (const { point, voxel } of this.#seekers(ordinal)) {
        if (this.#ranks[point] >= ball.size) continue;
        ball.voxelAt(this.#ranks[point], at);
        if (points.push(point) % STRETCH === 0) yield;
        voxels.push(...voxel.map((v, axis) => scale.voxelOffset[axis] + v + at[axis]));
      }
    const moved = yield* planning(
      pointSource(Float64Array.from(voxels), { borrow: true }),
      scale,
      scale.resolution,
      new Uint8Array(points.length),
    );
    return { ...moved, order: moved.order.map((k) => points[k]) };
  }

  *#seekers(ordinal: number): Generator<Seeker> {
    const {
      plan: { cells, starts, offsets, order },
      scale,
    } = this.#request;
    const {
      min: [x0, y0, z0],
      max,
    } = boundsFromZero(scale, cells[ordinal]);
    const sx = max[0] - x0,
      sy = max[1] - y0;
    for (let k = starts[ordinal]; k < starts[ordinal + 1]; k++) {
      if (this.#ranks[order[k]] === NOT_SEEKING) continue;
      const offset = offsets[k],
        row = Math.floor(offset / sx);
      yield { point: order[k], voxel: [x0 + (offset % sx), y0 + (row % sy), z0 + Math.floor(row / sy)] };
    }
  }

  /** The neighbours of its own chunk that could hold something nearer than what a seeker has. */
  #addLooks(seeker: Seeker, own: number, looks: Look[]): void {
    const {
      scale,
      search: { ball },
    } = this.#request;
    const { point, voxel } = seeker;
    const limit = this.#limit(point);
    const reach = limit < ball.size ? ball.reachOf(limit) : ball.reach;
    const grid = gridShape(scale);
    const cellsAlong = (axis: 0 | 1 | 2): { cell: number; distance: number }[] => {
      const size = scale.chunkSize[axis],
        at = voxel[axis];
      const first = Math.max(0, Math.floor((at - reach[axis]) / size)),
        last = Math.min(grid[axis] - 1, Math.floor((at + reach[axis]) / size));
      return Array.from({ length: last - first + 1 }, (_, k) => {
        const start = (first + k) * size;
        return { cell: first + k, distance: start > at ? start - at : Math.min(0, start + size - 1 - at) };
      });
    };
    const xs = cellsAlong(0),
      ys = cellsAlong(1),
      zs = cellsAlong(2);
    if (xs.length * ys.length * zs.length === 1) return;
    for (const z of zs)
      for (const y of ys)
        for (const x of xs) {
          const cell = x.cell + grid[0] * (y.cell + grid[1] * z.cell);
          if (cell === own) continue;
          const first = ball.rankOf(x.distance, y.distance, z.distance);
          if (first < limit) looks.push({ seeker, cell, first });
        }
  }

  /** Reads in rounds. In each every seeker asks for its nearest chunks, and all that want those chunks look into them. */
  async #read(reader: ChunkReader, looks: readonly Look[], spent: Spent): Promise<void> {
    const { source, signal } = this.#request;
    for (;;) {
      looks = looks.filter(({ seeker, first }) => first < this.#limit(seeker.point));
      if (looks.length === 0) return;
      const breathes = looks.length > STRETCH; // a few are registered together with those of other calls
      if (breathes) await breathe(signal);
      const nearest = new Map<Seeker, number>();
      for (const { seeker, first } of looks)
        nearest.set(seeker, Math.min(first, nearest.get(seeker) ?? first));
      if (breathes) await breathe(signal);
      const now = new Map<number, Look[]>();
      for (const { seeker, cell, first } of looks)
        if (first <= TOGETHER * nearest.get(seeker)!) now.set(cell, []);
      looks = looks.filter((look) => {
        const together = now.get(look.cell);
        together?.push(look);
        return !together;
      });
      const cells = Float64Array.from(now.keys());
      spent.chunks += cells.length;
      if (breathes) await breathe(signal);
      const cost = await reader.read(
        source,
        cells,
        this.#consumer(cells, [...now.values()], spent.chunks),
        signal,
      );
      this.#progress.throwIfFailed();
      for (const name of Object.keys(cost) as (keyof ChunkCost)[]) spent[name] += cost[name];
    }
  }

  #consumer(cells: Float64Array, looks: readonly (readonly Look[])[], chunks: number): ChunkConsumer {
    return {
      take: (ordinal, bytes, codec = this.#request.codec) =>
        bytes ? this.#search(cells[ordinal], bytes, codec, looks[ordinal]) : undefined,
      done: () => this.#tell(chunks),
      fail: (ordinal, error) => {
        this.#block(looks[ordinal], error);
        this.#tell(chunks);
      },
    };
  }

  #search(cell: number, bytes: Uint8Array, codec: Codec, looks: readonly Look[]): Paced {
    const { scale, layoutOf, search, out } = this.#request;
    const { min } = boundsFromZero(scale, cell);
    return search.run({ bytes, codec, layout: layoutOf(cell), min }, looks, { ranks: this.#ranks, out });
  }

  #block(looks: readonly Look[], error: ChunkError): void {
    for (const {
      seeker: { point },
      first,
    } of looks) {
      const known = this.#blocked.get(point);
      if (!known || first < known.rank) this.#blocked.set(point, { rank: first, error });
    }
  }

  /** Only a label of a lower rank is of use to a point. */
  #limit(point: number): number {
    return Math.min(this.#ranks[point], this.#blocked.get(point)?.rank ?? Infinity);
  }

  #tell(chunks: number): void {
    this.#chunksDone++;
    this.#progress.tell({ chunks, chunksDone: this.#chunksDone });
  }
}

/** @throws signal.reason, after a pause. A deadline is left to those who read. */
async function breathe(signal: AbortSignal | undefined): Promise<void> {
  if (!pacer.isDue()) return;
  await pacer.pause();
  deadlineOf(signal);
}
