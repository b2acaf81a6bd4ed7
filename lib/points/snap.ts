/**
 * Points on background that take the nearest label within a radius. Each looks around in its own chunk while that is here for its own
 * label, then in those neighbours that could hold something nearer, the near ones first: a label found there spares the others.
 *
 * A chunk that is not stored holds no label. One that cannot be read might: points for which it could hold something nearer than what
 * they found have failed.
 */
import { deadlineReason } from '../base/deadline.ts';
import { ChunkError, DeadlineError } from '../base/errors.ts';
import {
  runWithoutPause,
  inStretches,
  fillInStretches,
  type PausableWork,
  type CooperativeRunner,
} from '../base/cooperative-work.ts';
import type { ChunkConsumer, ChunkCost, ChunkReader } from '../chunks/chunk-reader.ts';
import type { Codec } from '../codecs/codec.ts';
import type { Scale } from '../precomputed/volume-info.ts';
import { isLabel, type BallSearch, type SearchTask, type SnapPoint } from './ball-search.ts';
import { toPointSource } from './point-input.ts';
import {
  addNeighbourSearches,
  cellBoundsFromZero,
  selectNextSearches,
  canReachNeighbour,
} from './neighbour-chunks.ts';
import { planPointsInSteps, type PointPlan } from './plan.ts';
import type { ChunkFailure, ReadRequest } from './read-points.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { PointStatus } from './status.ts';

export interface SnapRequest extends Omit<ReadRequest, 'look' | 'judge'> {
  scale: Scale;
  search: BallSearch;
  pacer: CooperativeRunner;
}

/** What a call has cost; `chunks` counts those asked for. */
type Spent = ChunkCost & { chunks: number };

/** Not looking for a label. */
const NOT_SEEKING = 0; // what memory is at first
/** Looks that are planned and held at a time: some 20 MB. */
const MAX_LOOKS = 2 ** 17;
/** Points between two pauses, where each takes about a microsecond. */
const STRETCH = 1024;
/** Points that are looked at one by one after a deadline: some 30 ms. */
const MOST_LATE = 2 ** 16;
/** To settle a point takes so long: a call that is to end in time begins to end earlier. */
export const SETTLE_NS_PER_POINT = 20;

export class PointSnapper {
  readonly #request: SnapRequest;
  /** Of the nearest label by point; the size of the ball while there is none. */
  readonly #ranks: Uint32Array;
  /** Points that could not look into a chunk: nothing is known from that rank on. */
  readonly #blocked = new Map<number, { rank: number; error: ChunkError }>();
  readonly #progress: ProgressReporter<{ chunks: number; chunksDone: number }>;
  #chunksDone: number;
  /** By chunk: 1 once its points have looked around in it. A deadline may come before. */
  readonly #looked: Uint8Array;
  /** Why points have failed that no chunk's failure is about. */
  #late: ChunkError | undefined;

  constructor(request: SnapRequest) {
    this.#request = request;
    this.#progress = new ProgressReporter(this.#request.onProgress);
    this.#ranks = new Uint32Array(request.status.length);
    this.#chunksDone = request.plan.cells.length;
    this.#looked = new Uint8Array(this.#chunksDone);
  }

  /** Looks around the points of a chunk that have no label, in the chunk itself. Called with its bytes once their labels are written. */
  *searchChunk(ordinal: number, bytes: Uint8Array, codec: Codec): PausableWork {
    const {
      plan: { cells, starts, order },
      out,
      status,
      search,
    } = this.#request;
    const width = out.length / status.length;
    const first = starts[ordinal];
    yield* inStretches(starts[ordinal + 1] - first, (from, end) => {
      for (let k = first + from; k < first + end; k++)
        if (!isLabel(out, order[k] * width, width)) this.#ranks[order[k]] = search.ball.size;
    });
    let looks: SearchTask[] = [];
    const cell = cells[ordinal];
    const look = function* (this: PointSnapper): PausableWork {
      try {
        yield* this.#search(cell, bytes, codec, looks);
      } catch (error) {
        this.#block(looks, ChunkError.of(this.#request.source.urlOf(cell), error));
      }
      looks = [];
    }.bind(this);
    for (const seeker of this.#seekers(ordinal)) {
      looks.push({ snapPoint: seeker, cell, firstRank: 1 });
      if (looks.length % STRETCH === 0) yield;
      if (looks.length === MAX_LOOKS) yield* look();
    }
    yield* look();
    this.#looked[ordinal] = 1;
  }

  /**
   * Looks around in the neighbours, once all points were read. The first of them are registered before the first await.
   * @param spent Counts of the call so far, added to.
   * @throws signal.reason, or what `onProgress` threw.
   */
  async searchNeighbours(reader: ChunkReader, spent: Spent): Promise<void> {
    const { plan, scale, search, signal, pacer } = this.#request;
    let looks: SearchTask[] = [],
      sought = 0;
    for (let ordinal = 0; ordinal < plan.cells.length; ordinal++)
      for (const seeker of this.#seekers(ordinal)) {
        if (this.#looked[ordinal])
          addNeighbourSearches(
            seeker,
            plan.cells[ordinal],
            scale,
            search.ball,
            this.#limit(seeker.pointIndex),
            looks,
          );
        else this.#fail(seeker.pointIndex); // for the reason that its chunk has
        if (++sought % STRETCH === 0) {
          if (pacer.isDue()) await pacer.pause();
          const deadline = deadlineReason(signal);
          if (deadline) return pacer.run(this.#giveUp(ordinal, looks, deadline));
        }
        if (looks.length < MAX_LOOKS) continue;
        await this.#read(reader, looks, spent);
        looks = [];
      }
    await this.#read(reader, looks, spent);
  }

  /**
   * After a deadline: fails the points, from a chunk on, that a neighbour could hold something nearer for. Only so many are looked at one by
   * one; the others fail in any case.
   */
  *#giveUp(first: number, looks: readonly SearchTask[], { timeoutMs }: DeadlineError): PausableWork {
    const {
      plan: { cells, starts, order },
      scale,
      search,
      source,
      status,
    } = this.#request;
    let count = 0,
      seen = 0;
    const fail = (point: number): void => {
      if (this.#ranks[point] === NOT_SEEKING) return;
      this.#fail(point);
      count++;
    };
    yield* inStretches(looks.length, (from, end) => {
      for (let k = from; k < end; k++) fail(looks[k].snapPoint.pointIndex);
    });
    for (let ordinal = first; ordinal < cells.length; ordinal++) {
      if (this.#looked[ordinal] && seen < MOST_LATE)
        for (const seeker of this.#seekers(ordinal)) {
          if (
            seen >= MOST_LATE ||
            canReachNeighbour(seeker, cells[ordinal], scale, search.ball, this.#limit(seeker.pointIndex))
          )
            fail(seeker.pointIndex);
          if (++seen % STRETCH === 0) yield;
        }
      else
        yield* inStretches(starts[ordinal + 1] - starts[ordinal], (from, end) => {
          for (let k = starts[ordinal] + from; k < starts[ordinal] + end; k++) fail(order[k]);
        });
      yield;
    }
    this.#late = ChunkError.of(
      source.id,
      new DeadlineError(timeoutMs, { what: 'points', count, of: status.length }),
    );
  }

  #fail(point: number): void {
    const { out, status } = this.#request,
      width = out.length / status.length;
    this.#ranks[point] = NOT_SEEKING;
    for (let w = point * width; w < (point + 1) * width; w++) out[w] = 0;
    status[point] = PointStatus.failed;
  }

  /**
   * Settles the points that looked: `ok`, `failed`, or left on background.
   * @returns How far each point's label is: 0 for its own, NaN for none.
   */
  *finish(): PausableWork<{ snappedNm: Float32Array; failures: ChunkFailure[] }> {
    const {
      status,
      search: { ball },
    } = this.#request;
    const failed = new Map<ChunkError, number[]>();
    let seen = 0;
    for (const [point, { rank, error }] of this.#blocked) {
      if (++seen % STRETCH === 0) yield;
      if (this.#ranks[point] < rank) continue;
      this.#fail(point);
      const points = failed.get(error);
      if (points) points.push(point);
      else failed.set(error, [point]);
    }
    const snappedNm = new Float32Array(status.length);
    yield* fillInStretches(snappedNm, NaN);
    yield* inStretches(status.length, (from, end) => {
      for (let point = from; point < end; point++) {
        const rank = this.#ranks[point];
        if (rank !== NOT_SEEKING && rank < ball.size) {
          status[point] = PointStatus.ok;
          snappedNm[point] = ball.distanceNm(rank);
        } else if (status[point] === PointStatus.ok || status[point] === PointStatus.suspect)
          snappedNm[point] = 0;
        // Its chunk was here, but a deadline came before it looked around.
        else if (rank === NOT_SEEKING && status[point] === PointStatus.background)
          status[point] = PointStatus.failed;
      }
    });
    const failures: ChunkFailure[] = Array.from(failed, ([error, points]) => ({
      error,
      points: Uint32Array.from(points).sort(),
    }));
    if (this.#late) failures.push({ error: this.#late, points: undefined });
    return { snappedNm, failures };
  }

  /** The voxels that the snapped points got their labels from, as a plan. */
  *planSnapped(): PausableWork<PointPlan> {
    const {
      plan,
      scale,
      search: { ball },
    } = this.#request;
    let count = 0;
    yield* inStretches(this.#ranks.length, (from, end) => {
      for (let point = from; point < end; point++)
        if (this.#ranks[point] !== NOT_SEEKING && this.#ranks[point] < ball.size) count++;
    });
    const points = new Uint32Array(count),
      voxels = new Float64Array(3 * count),
      at = new Int32Array(3);
    count = 0;
    for (let ordinal = 0; ordinal < plan.cells.length; ordinal++)
      for (const { pointIndex: point, voxel } of this.#seekers(ordinal)) {
        if (this.#ranks[point] >= ball.size) continue;
        ball.voxelAt(this.#ranks[point], at);
        for (let axis = 0; axis < 3; axis++)
          voxels[3 * count + axis] = scale.voxelOffset[axis] + voxel[axis] + at[axis];
        points[count++] = point;
        if (count % STRETCH === 0) yield;
      }
    const moved = yield* planPointsInSteps(
      toPointSource(voxels, { borrow: true }),
      scale,
      scale.resolution,
      new Uint8Array(count),
    );
    yield* inStretches(moved.order.length, (from, end) => {
      for (let k = from; k < end; k++) moved.order[k] = points[moved.order[k]];
    });
    return moved;
  }

  *#seekers(ordinal: number): Generator<SnapPoint> {
    const {
      plan: { cells, starts, offsets, order },
      scale,
    } = this.#request;
    const {
      min: [x0, y0, z0],
      max,
    } = cellBoundsFromZero(scale, cells[ordinal]);
    const sx = max[0] - x0,
      sy = max[1] - y0;
    for (let k = starts[ordinal]; k < starts[ordinal + 1]; k++) {
      if (this.#ranks[order[k]] === NOT_SEEKING) continue;
      const offset = offsets[k],
        row = Math.floor(offset / sx);
      yield { pointIndex: order[k], voxel: [x0 + (offset % sx), y0 + (row % sy), z0 + Math.floor(row / sy)] };
    }
  }

  /** Reads in rounds. In each every seeker asks for its nearest chunks, and all that want those chunks look into them. */
  async #read(reader: ChunkReader, looks: readonly SearchTask[], spent: Spent): Promise<void> {
    const { source, signal, pacer } = this.#request;
    for (;;) {
      // A few are registered together with those of other calls.
      const sorting = selectNextSearches(looks, (point) => this.#limit(point)),
        { now, later } = looks.length > STRETCH ? await pacer.run(sorting) : runWithoutPause(sorting);
      if (now.size === 0) return;
      looks = later;
      const cells = Float64Array.from(now.keys());
      spent.chunks += cells.length;
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

  #consumer(cells: Float64Array, looks: readonly (readonly SearchTask[])[], chunks: number): ChunkConsumer {
    const settled = new Uint8Array(cells.length);
    const settle = (ordinal: number): void => {
      settled[ordinal] = 1;
      this.#chunksDone++;
    };
    const tell = (): void => this.#progress.report({ chunks, chunksDone: this.#chunksDone });
    return {
      receive: (ordinal, bytes, codec = this.#request.codec) =>
        bytes ? this.#search(cells[ordinal], bytes, codec, looks[ordinal]) : undefined,
      done: (ordinal) => (settle(ordinal), tell()),
      fail: (ordinal, error) => {
        this.#block(looks[ordinal], error);
        settle(ordinal);
        tell();
      },
      failRest: (_count, error) => {
        for (const [ordinal, its] of looks.entries()) {
          if (settled[ordinal]) continue;
          this.#block(its, error);
          settle(ordinal);
        }
        tell();
      },
    };
  }

  #search(cell: number, bytes: Uint8Array, codec: Codec, looks: readonly SearchTask[]): PausableWork {
    const { scale, layoutOf, search, out } = this.#request;
    const { min } = cellBoundsFromZero(scale, cell);
    return search.run({ bytes, codec, layout: layoutOf(cell), min }, looks, { ranks: this.#ranks, out });
  }

  #block(looks: readonly SearchTask[], error: ChunkError): void {
    for (const {
      snapPoint: { pointIndex: point },
      firstRank: first,
    } of looks) {
      const known = this.#blocked.get(point);
      if (!known || first < known.rank) this.#blocked.set(point, { rank: first, error });
    }
  }

  /** Only a label of a lower rank is of use to a point. */
  #limit(point: number): number {
    return Math.min(this.#ranks[point], this.#blocked.get(point)?.rank ?? Infinity);
  }
}
