/**
 * Gives points on background the nearest label within a radius. The search starts in the point's own chunk,
 * while its bytes are in memory. Then it reads the neighbour chunks that may hold a nearer label, nearest
 * first: a label found there makes the farther chunks unnecessary.
 *
 * A chunk that is not stored holds no label. A chunk that cannot be read may hold one: a point fails if that
 * chunk could hold a nearer label than the one found.
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

/** The read whose points are snapped. */
export interface SnapRequest extends Omit<ReadRequest, 'onChunkRead' | 'checkPoints'> {
  scale: Scale;
  search: BallSearch;
  runner: CooperativeRunner;
}

/** Counters of the call; `chunks` counts the chunks requested. */
type Totals = ChunkCost & { chunks: number };

/** Rank of a point that needs no label. It is 0 because fresh memory is. */
const NO_SEARCH = 0;
/** Number of tasks that are held at a time: about 20 MB. */
const MAX_TASKS = 2 ** 17;
/** Number of points between two pauses. Each point takes about a microsecond. */
const STRETCH = 1024;
/** Number of points that are examined one by one after a deadline, which takes about 30 ms. */
const MAX_LATE_POINTS = 2 ** 16;
/** Time to set the final status of a point. A call with a deadline stops its search that much earlier. */
export const SETTLE_NS_PER_POINT = 20;

/**
 * Snaps the points of one call. The steps are searchChunk, searchNeighbours, finish and planSnapped, in this
 * order.
 */
export class PointSnapper {
  readonly #request: SnapRequest;
  /** Rank of the nearest label of each point; the size of the ball while there is none. */
  readonly #ranks: Uint32Array;
  /** Points with a chunk that could not be searched: from that rank on, nothing is known. */
  readonly #blocked = new Map<number, { rank: number; error: ChunkError }>();
  readonly #progress: ProgressReporter<{ chunks: number; chunksDone: number }>;
  #chunksDone: number;
  /** 1 for each chunk that has been searched for its own points. A deadline may come before that. */
  readonly #isSearched: Uint8Array;
  /** The error of points that failed because of the deadline. */
  #deadlineError: ChunkError | undefined;

  constructor(request: SnapRequest) {
    this.#request = request;
    this.#progress = new ProgressReporter(this.#request.onProgress);
    this.#ranks = new Uint32Array(request.status.length);
    this.#chunksDone = request.plan.cells.length;
    this.#isSearched = new Uint8Array(this.#chunksDone);
  }

  /**
   * Searches a chunk for its own points without a label. Called with the chunk's bytes when their labels are
   * written.
   */
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
    let tasks: SearchTask[] = [];
    const cell = cells[ordinal];
    const searchTasks = function* (this: PointSnapper): PausableWork {
      try {
        yield* this.#search(cell, bytes, codec, tasks);
      } catch (error) {
        this.#markBlocked(tasks, ChunkError.of(this.#request.source.urlOf(cell), error));
      }
      tasks = [];
    }.bind(this);
    for (const snapPoint of this.#snapPoints(ordinal)) {
      tasks.push({ snapPoint, cell, firstRank: 1 });
      if (tasks.length % STRETCH === 0) yield;
      if (tasks.length === MAX_TASKS) yield* searchTasks();
    }
    yield* searchTasks();
    this.#isSearched[ordinal] = 1;
  }

  /**
   * Searches the neighbour chunks, when all points have been read. The first chunks are registered before the
   * first await.
   * @param totals Counters of the call so far, which are added to.
   * @throws signal.reason, or the error that `onProgress` threw.
   */
  async searchNeighbours(reader: ChunkReader, totals: Totals): Promise<void> {
    const { plan, scale, search, signal, runner } = this.#request;
    let tasks: SearchTask[] = [],
      planned = 0;
    for (let ordinal = 0; ordinal < plan.cells.length; ordinal++)
      for (const snapPoint of this.#snapPoints(ordinal)) {
        if (this.#isSearched[ordinal])
          addNeighbourSearches(
            snapPoint,
            plan.cells[ordinal],
            scale,
            search.ball,
            this.#rankLimit(snapPoint.pointIndex),
            tasks,
          );
        else this.#fail(snapPoint.pointIndex); // the chunk's own failure gives the error
        if (++planned % STRETCH === 0) {
          if (runner.isDue()) await runner.pause();
          const deadline = deadlineReason(signal);
          if (deadline) return runner.run(this.#endAtDeadline(ordinal, tasks, deadline));
        }
        if (tasks.length < MAX_TASKS) continue;
        await this.#read(reader, tasks, totals);
        tasks = [];
      }
    await this.#read(reader, tasks, totals);
  }

  /**
   * Ends the search after a deadline: a point fails if a chunk that was not searched could hold a nearer
   * label. Only MAX_LATE_POINTS points are examined one by one; the rest fail.
   */
  *#endAtDeadline(first: number, tasks: readonly SearchTask[], { timeoutMs }: DeadlineError): PausableWork {
    const {
      plan: { cells, starts, order },
      scale,
      search,
      source,
      status,
    } = this.#request;
    let count = 0,
      visited = 0;
    const fail = (point: number): void => {
      if (this.#ranks[point] === NO_SEARCH) return;
      this.#fail(point);
      count++;
    };
    yield* inStretches(tasks.length, (from, end) => {
      for (let k = from; k < end; k++) fail(tasks[k].snapPoint.pointIndex);
    });
    for (let ordinal = first; ordinal < cells.length; ordinal++) {
      if (this.#isSearched[ordinal] && visited < MAX_LATE_POINTS)
        for (const snapPoint of this.#snapPoints(ordinal)) {
          if (
            visited >= MAX_LATE_POINTS ||
            canReachNeighbour(
              snapPoint,
              cells[ordinal],
              scale,
              search.ball,
              this.#rankLimit(snapPoint.pointIndex),
            )
          )
            fail(snapPoint.pointIndex);
          if (++visited % STRETCH === 0) yield;
        }
      else
        yield* inStretches(starts[ordinal + 1] - starts[ordinal], (from, end) => {
          for (let k = starts[ordinal] + from; k < starts[ordinal] + end; k++) fail(order[k]);
        });
      yield;
    }
    this.#deadlineError = ChunkError.of(
      source.id,
      new DeadlineError(timeoutMs, { what: 'points', count, of: status.length }),
    );
  }

  #fail(point: number): void {
    const { out, status } = this.#request,
      width = out.length / status.length;
    this.#ranks[point] = NO_SEARCH;
    for (let w = point * width; w < (point + 1) * width; w++) out[w] = 0;
    status[point] = PointStatus.failed;
  }

  /**
   * Sets the final status of the points that were searched for: `ok`, `failed`, or still `background`.
   * @returns The distance to each point's label in nanometres: 0 for its own label, NaN without a label.
   */
  *finish(): PausableWork<{ snappedNm: Float32Array; failures: ChunkFailure[] }> {
    const {
      status,
      search: { ball },
    } = this.#request;
    const failed = new Map<ChunkError, number[]>();
    let visited = 0;
    for (const [point, { rank, error }] of this.#blocked) {
      if (++visited % STRETCH === 0) yield;
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
        if (rank !== NO_SEARCH && rank < ball.size) {
          status[point] = PointStatus.ok;
          snappedNm[point] = ball.distanceNm(rank);
        } else if (status[point] === PointStatus.ok || status[point] === PointStatus.suspect)
          snappedNm[point] = 0;
        // The chunk was read, but a deadline came before it was searched.
        else if (rank === NO_SEARCH && status[point] === PointStatus.background)
          status[point] = PointStatus.failed;
      }
    });
    const failures: ChunkFailure[] = Array.from(failed, ([error, points]) => ({
      error,
      points: Uint32Array.from(points).sort(),
    }));
    if (this.#deadlineError) failures.push({ error: this.#deadlineError, points: undefined });
    return { snappedNm, failures };
  }

  /** Plans the voxels that the snapped points have their labels from. */
  *planSnapped(): PausableWork<PointPlan> {
    const {
      plan,
      scale,
      search: { ball },
    } = this.#request;
    let count = 0;
    yield* inStretches(this.#ranks.length, (from, end) => {
      for (let point = from; point < end; point++)
        if (this.#ranks[point] !== NO_SEARCH && this.#ranks[point] < ball.size) count++;
    });
    const points = new Uint32Array(count),
      voxels = new Float64Array(3 * count),
      at = new Int32Array(3);
    count = 0;
    for (let ordinal = 0; ordinal < plan.cells.length; ordinal++)
      for (const { pointIndex: point, voxel } of this.#snapPoints(ordinal)) {
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

  /** The points of a chunk that still need a label, or have snapped to one. */
  *#snapPoints(ordinal: number): Generator<SnapPoint> {
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
      if (this.#ranks[order[k]] === NO_SEARCH) continue;
      const offset = offsets[k],
        row = Math.floor(offset / sx);
      yield { pointIndex: order[k], voxel: [x0 + (offset % sx), y0 + (row % sy), z0 + Math.floor(row / sy)] };
    }
  }

  /**
   * Reads in rounds. Each round reads the nearest chunks of every point, and searches them for all points.
   */
  async #read(reader: ChunkReader, tasks: readonly SearchTask[], totals: Totals): Promise<void> {
    const { source, signal, runner } = this.#request;
    for (;;) {
      // A small number of tasks registers at once, so that calls made in the same turn share their reads.
      const sorting = selectNextSearches(tasks, (point) => this.#rankLimit(point)),
        { now, later } = tasks.length > STRETCH ? await runner.run(sorting) : runWithoutPause(sorting);
      if (now.size === 0) return;
      tasks = later;
      const cells = Float64Array.from(now.keys());
      totals.chunks += cells.length;
      const cost = await reader.read(
        source,
        cells,
        this.#consumer(cells, [...now.values()], totals.chunks),
        signal,
      );
      this.#progress.throwIfFailed();
      for (const name of Object.keys(cost) as (keyof ChunkCost)[]) totals[name] += cost[name];
    }
  }

  #consumer(cells: Float64Array, tasks: readonly (readonly SearchTask[])[], chunks: number): ChunkConsumer {
    const settled = new Uint8Array(cells.length);
    const settle = (ordinal: number): void => {
      settled[ordinal] = 1;
      this.#chunksDone++;
    };
    const report = (): void => this.#progress.report({ chunks, chunksDone: this.#chunksDone });
    return {
      receive: (ordinal, bytes, codec = this.#request.codec) =>
        bytes ? this.#search(cells[ordinal], bytes, codec, tasks[ordinal]) : undefined,
      done: (ordinal) => (settle(ordinal), report()),
      fail: (ordinal, error) => {
        this.#markBlocked(tasks[ordinal], error);
        settle(ordinal);
        report();
      },
      failRest: (_count, error) => {
        for (const [ordinal, ownTasks] of tasks.entries()) {
          if (settled[ordinal]) continue;
          this.#markBlocked(ownTasks, error);
          settle(ordinal);
        }
        report();
      },
    };
  }

  #search(cell: number, bytes: Uint8Array, codec: Codec, tasks: readonly SearchTask[]): PausableWork {
    const { scale, layoutOf, search, out } = this.#request;
    const { min } = cellBoundsFromZero(scale, cell);
    return search.run({ bytes, codec, layout: layoutOf(cell), min }, tasks, { ranks: this.#ranks, out });
  }

  #markBlocked(tasks: readonly SearchTask[], error: ChunkError): void {
    for (const {
      snapPoint: { pointIndex: point },
      firstRank: first,
    } of tasks) {
      const known = this.#blocked.get(point);
      if (!known || first < known.rank) this.#blocked.set(point, { rank: first, error });
    }
  }

  /** Only a label of a lower rank can improve the point. */
  #rankLimit(point: number): number {
    return Math.min(this.#ranks[point], this.#blocked.get(point)?.rank ?? Infinity);
  }
}
