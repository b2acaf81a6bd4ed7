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
import { isLabel, type BallSearch } from './ball-search.ts';
import { BlockedPoints } from './blocked-points.ts';
import { toPointSource } from './point-input.ts';
import { cellBoundsFromZero, NeighbourChunks } from './neighbour-chunks.ts';
import { planPointsInSteps, type PointPlan } from './plan.ts';
import { createVoxelWriter, inChunkParts, type PlanPosition } from './planned-voxels.ts';
import type { ChunkFailure, ReadRequest } from './read-points.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { createSearches, SearchTasks, type ChunkSearches, type SearchRound } from './search-tasks.ts';
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
/** Number of searches that are planned at a time: about 7 MB. */
const MAX_SEARCHES = 2 ** 17;
/** Number of points, or of neighbour chunks, between two pauses. Each takes up to a microsecond. */
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
  readonly #blocked: BlockedPoints;
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
    this.#blocked = new BlockedPoints(request.status.length);
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
      } = this.#request,
      ranks = this.#ranks,
      cell = cells[ordinal],
      first = starts[ordinal],
      width = out.length / status.length;
    let left = 0;
    yield* inStretches(
      starts[ordinal + 1] - first,
      (from, end) => {
        for (let k = first + from; k < first + end; k++) {
          if (isLabel(out, order[k] * width, width)) continue;
          ranks[order[k]] = search.ball.size;
          left++;
        }
      },
      STRETCH,
    );
    const writeVoxel = createVoxelWriter(this.#request.plan, this.#request.scale, ordinal);
    for (let k = first; left > 0;) {
      const searches = createSearches(Math.min(left, MAX_SEARCHES));
      searches.firstRanks.fill(1);
      for (let n = 0; n < searches.points.length; k++) {
        if (k % STRETCH === 0) yield;
        if (ranks[order[k]] === NO_SEARCH) continue;
        searches.points[n] = order[k];
        writeVoxel(k, searches.voxels, 3 * n++);
      }
      left -= searches.points.length;
      try {
        yield* this.#search(cell, bytes, codec, searches);
      } catch (error) {
        this.#blocked.add(searches, ChunkError.of(this.#request.source.urlOf(cell), error));
      }
    }
    this.#isSearched[ordinal] = 1;
  }

  /**
   * Searches the neighbour chunks, when all points have been read. The first chunks are registered before the
   * first await.
   * @param totals Counters of the call so far, which are added to.
   * @throws signal.reason, or the error that `onProgress` threw.
   */
  async searchNeighbours(reader: ChunkReader, totals: Totals): Promise<void> {
    const { plan, signal, runner } = this.#request;
    const tasks = new SearchTasks(),
      position: PlanPosition = { ordinal: 0, at: 0 };
    do {
      tasks.clear();
      try {
        const planning = runner.run(this.#planSearches(position, tasks), signal);
        if (planning) await planning;
      } catch (error) {
        const deadline = deadlineReason(signal);
        if (!deadline) throw error;
        return runner.run(this.#endAtDeadline(position, tasks, deadline));
      }
      await this.#read(reader, tasks, totals);
    } while (position.ordinal < plan.cells.length);
  }

  /** Adds the searches of the next points, until there are enough. Moves `position` past these points. */
  *#planSearches(position: PlanPosition, tasks: SearchTasks): PausableWork {
    const {
      plan: { cells, starts, order },
      scale,
      search,
    } = this.#request;
    const chunks = new NeighbourChunks(scale, search.ball),
      voxel = new Float64Array(3);
    let steps = 0;
    for (; position.ordinal < cells.length; position.ordinal++) {
      const { ordinal } = position,
        writeVoxel = createVoxelWriter(this.#request.plan, this.#request.scale, ordinal);
      for (
        position.at = Math.max(position.at, starts[ordinal]);
        position.at < starts[ordinal + 1];
        position.at++
      ) {
        if (tasks.count >= MAX_SEARCHES) return;
        if (++steps >= STRETCH) {
          steps = 0;
          yield;
        }
        const point = order[position.at];
        if (this.#ranks[point] === NO_SEARCH) continue;
        if (!this.#isSearched[ordinal]) {
          this.#fail(point); // the chunk's own failure gives the error
          continue;
        }
        writeVoxel(position.at, voxel, 0);
        const [x, y, z] = voxel;
        if (chunks.moveTo(x, y, z, this.#rankLimit(point)) === 1) continue;
        tasks.addPoint(point, x, y, z);
        for (let row = 0; row < chunks.rows; row++) {
          chunks.addRow(row, cells[ordinal], tasks);
          if ((steps += chunks.rowLength) < STRETCH) continue;
          steps = 0;
          yield;
        }
      }
    }
  }

  /**
   * Ends the search after a deadline: a point fails if a chunk that was not searched could hold a nearer
   * label. Only MAX_LATE_POINTS points are examined one by one; the rest fail.
   */
  *#endAtDeadline(position: PlanPosition, tasks: SearchTasks, { timeoutMs }: DeadlineError): PausableWork {
    const {
      plan: { cells, starts, order },
      scale,
      search,
      source,
      status,
    } = this.#request;
    const chunks = new NeighbourChunks(scale, search.ball),
      voxel = new Float64Array(3);
    let count = 0,
      visited = 0;
    const fail = (point: number): void => {
      if (this.#ranks[point] === NO_SEARCH) return;
      this.#fail(point);
      count++;
    };
    yield* inStretches(tasks.count, (from, end) => {
      for (let k = from; k < end; k++) fail(tasks.pointOf(k));
    });
    yield* inChunkParts(starts, position, (ordinal, from, end) => {
      const bounds = cellBoundsFromZero(scale, cells[ordinal]),
        writeVoxel = createVoxelWriter(this.#request.plan, this.#request.scale, ordinal);
      for (let k = from; k < end; k++) {
        const point = order[k];
        if (this.#ranks[point] === NO_SEARCH) continue;
        if (this.#isSearched[ordinal] && visited < MAX_LATE_POINTS) {
          visited++;
          writeVoxel(k, voxel, 0);
          const inReach = chunks.moveTo(voxel[0], voxel[1], voxel[2], this.#rankLimit(point));
          if (inReach === 1 || !chunks.hasNearer(bounds)) continue;
        }
        fail(point);
      }
    });
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
    const failures = yield* this.#blocked.collect((point, rank) => {
      if (this.#ranks[point] < rank) return false;
      this.#fail(point);
      return true;
    });
    const snappedNm = yield* createDistances(status.length);
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
    yield* inChunkParts(plan.starts, { ordinal: 0, at: 0 }, (ordinal, from, end) => {
      const writeVoxel = createVoxelWriter(plan, scale, ordinal);
      for (let k = from; k < end; k++) {
        const point = plan.order[k],
          rank = this.#ranks[point];
        if (rank === NO_SEARCH || rank >= ball.size) continue;
        ball.voxelAt(rank, at);
        writeVoxel(k, voxels, 3 * count);
        for (let axis = 0; axis < 3; axis++) voxels[3 * count + axis] += scale.voxelOffset[axis] + at[axis];
        points[count++] = point;
      }
    });
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

  /**
   * Reads in rounds. Each round reads the nearest chunks of every point, and searches them for all points.
   */
  async #read(reader: ChunkReader, tasks: SearchTasks, totals: Totals): Promise<void> {
    const { source, signal, runner } = this.#request;
    for (;;) {
      // A small number of tasks registers at once, so that calls made in the same turn share their reads.
      const sorting = tasks.takeRound((point) => this.#rankLimit(point)),
        round = tasks.count > STRETCH ? await runner.run(sorting) : runWithoutPause(sorting);
      if (round.cells.length === 0) return;
      totals.chunks += round.cells.length;
      const cost = await reader.read(source, round.cells, this.#consumer(round, totals.chunks), signal);
      this.#progress.throwIfFailed();
      for (const name of Object.keys(cost) as (keyof ChunkCost)[]) totals[name] += cost[name];
    }
  }

  #consumer({ cells, searchesOf }: SearchRound, chunks: number): ChunkConsumer {
    const settled = new Uint8Array(cells.length);
    const settle = (ordinal: number): void => {
      settled[ordinal] = 1;
      this.#chunksDone++;
    };
    const report = (): void => this.#progress.report({ chunks, chunksDone: this.#chunksDone });
    return {
      receive: (ordinal, bytes, codec = this.#request.codec) =>
        bytes ? this.#search(cells[ordinal], bytes, codec, searchesOf(ordinal)) : undefined,
      done: (ordinal) => (settle(ordinal), report()),
      fail: (ordinal, error) => {
        this.#blocked.add(searchesOf(ordinal), error);
        settle(ordinal);
        report();
      },
      failRest: (_count, error) => {
        for (let ordinal = 0; ordinal < cells.length; ordinal++) {
          if (settled[ordinal]) continue;
          this.#blocked.add(searchesOf(ordinal), error);
          settle(ordinal);
        }
        report();
      },
    };
  }

  #search(cell: number, bytes: Uint8Array, codec: Codec, searches: ChunkSearches): PausableWork {
    const { scale, layoutOf, search, out } = this.#request;
    const { min } = cellBoundsFromZero(scale, cell);
    return search.run({ bytes, codec, layout: layoutOf(cell), min }, searches, { ranks: this.#ranks, out });
  }

  /** Only a label of a lower rank can improve the point. */
  #rankLimit(point: number): number {
    return Math.min(this.#ranks[point], this.#blocked.rankOf(point));
  }
}

/** Returns NaN for each point: none of them has a label yet. */
export function* createDistances(count: number): PausableWork<Float32Array> {
  const distances = new Float32Array(count);
  yield* fillInStretches(distances, NaN);
  return distances;
}
