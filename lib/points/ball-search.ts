/**
 * Finds the nearest label around many voxels in the bytes of one chunk. The search goes outwards shell by
 * shell, so a near label costs little.
 */
import { runWithoutPause, type PausableWork } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import { rawCodec } from '../codecs/raw.ts';
import {
  DATA_TYPES,
  wordsPerValue,
  wordsView,
  type DataType,
  type WordArray,
} from '../precomputed/data-type.ts';
import type { Ball } from './ball.ts';

/** A point on background that needs a label. */
export interface SnapPoint {
  /** Index of the point in the caller's order. */
  pointIndex: number;
  /** Voxel of the point, counted from the volume's first voxel. */
  voxel: Vec3;
}

/** One chunk to search for one point. */
export interface SearchTask {
  snapPoint: SnapPoint;
  /** Number of the chunk in the grid of the scale. */
  cell: number;
  /** No voxel of the chunk has a lower rank than this. */
  firstRank: number;
}

/** A chunk whose bytes are in memory. */
export interface LoadedChunk {
  bytes: Uint8Array;
  codec: Codec;
  layout: ChunkLayout;
  /** The chunk's first voxel, counted from the volume's first voxel. */
  min: Vec3;
}

/** The best label found so far for every point. */
export interface NearestLabels {
  /** Rank of the nearest label so far, per point. A new label counts only if its rank is lower. */
  ranks: Uint32Array;
  /** The label of each point, as words of the data type. */
  out: WordArray;
}

/** Number of values decoded at a time. */
const BATCH_VALUES = 2 ** 18;
/**
 * Rank at which the first shell ends. Each shell reaches twice as far as the shell before: 8 times the
 * voxels.
 */
const FIRST_SHELL = 64,
  SHELL_GROWTH = 8;
/**
 * Ranks examined between two pauses. Codecs that decode the whole chunk for any voxel get the longer stretch.
 */
const STRETCH = 2 ** 18,
  STRETCH_BY_POINT = 2 ** 15;

/** Searches chunks for labels. All searches share 4 MB of buffers, which are empty at every pause. */
export class BallSearch {
  readonly #batch: number;
  readonly #wordsPerPoint: number;
  readonly #offsets: Uint32Array;
  readonly #points: Uint32Array;
  readonly #ranks: Uint32Array;
  readonly #outIndex: Uint32Array;
  readonly #words: WordArray;

  constructor(
    readonly ball: Ball,
    { numChannels, dataType }: { numChannels: number; dataType: DataType },
  ) {
    this.#batch = Math.max(1, Math.floor(BATCH_VALUES / numChannels));
    this.#wordsPerPoint = numChannels * wordsPerValue(dataType);
    this.#offsets = new Uint32Array(this.#batch);
    this.#points = new Uint32Array(this.#batch);
    this.#ranks = new Uint32Array(this.#batch);
    this.#outIndex = new Uint32Array(this.#batch);
    for (let k = 0; k < this.#batch; k++) this.#outIndex[k] = k;
    this.#words = wordsView(new DATA_TYPES[dataType](this.#batch * numChannels));
  }

  /**
   * Finds the label of lowest rank in this chunk for each task, and stores it if it beats the known rank.
   * @throws DecodeError; labels found before the error are right.
   */
  *run(loaded: LoadedChunk, tasks: readonly SearchTask[], nearest: NearestLabels): PausableWork {
    const chunk = yield* toRawChunk(loaded);
    const { ranks } = nearest;
    const { ball } = this,
      batch = this.#batch,
      offsets = this.#offsets,
      points = this.#points,
      candidateRanks = this.#ranks;
    const [sx, sy, sz] = chunk.layout.chunkSize,
      stretch = chunk.codec.isPointwise ? STRETCH_BY_POINT : STRETCH;
    const at = new Int32Array(3);
    let pending = tasks,
      n = 0,
      examined = 0;
    for (let from = 0, to = FIRST_SHELL; pending.length > 0; from = to, to *= SHELL_GROWTH) {
      for (const {
        snapPoint: { pointIndex, voxel },
        firstRank,
      } of pending) {
        const x0 = voxel[0] - chunk.min[0],
          y0 = voxel[1] - chunk.min[1],
          z0 = voxel[2] - chunk.min[2];
        // Any decode may lower the known rank.
        for (let rank = Math.max(from, firstRank); rank < to && rank < ranks[pointIndex]; rank++) {
          ball.voxelAt(rank, at);
          const x = x0 + at[0],
            y = y0 + at[1],
            z = z0 + at[2];
          if (!(x >= 0 && y >= 0 && z >= 0 && x < sx && y < sy && z < sz)) continue;
          offsets[n] = x + sx * (y + sy * z);
          points[n] = pointIndex;
          candidateRanks[n++] = rank;
          if (n < batch) continue;
          this.#decode(chunk, n, nearest);
          n = 0;
          examined = stretch;
        }
        if ((examined += to - from) < stretch) continue;
        if (n > 0) this.#decode(chunk, n, nearest);
        n = examined = 0;
        yield;
      }
      if (n > 0) this.#decode(chunk, n, nearest);
      n = 0;
      pending = pending.filter(({ snapPoint: { pointIndex } }) => ranks[pointIndex] > to);
    }
  }

  #decode({ bytes, codec, layout }: LoadedChunk, n: number, { ranks, out }: NearestLabels): void {
    const words = this.#words,
      width = this.#wordsPerPoint;
    const offsets = this.#offsets.subarray(0, n),
      outIndex = this.#outIndex.subarray(0, n);
    runWithoutPause(codec.decodePoints(bytes, layout, offsets, words, outIndex)); // a slow codec is raw by now
    for (let k = 0; k < n; k++) {
      const pointIndex = this.#points[k],
        rank = this.#ranks[k];
      if (rank >= ranks[pointIndex] || !isLabel(words, k * width, width)) continue;
      ranks[pointIndex] = rank;
      for (let w = 0; w < width; w++) out[pointIndex * width + w] = words[k * width + w];
    }
  }
}

/**
 * Decodes a chunk whose codec would decode it anew for each shell, and might pause while another search uses
 * the buffers.
 */
function* toRawChunk(chunk: LoadedChunk): PausableWork<LoadedChunk> {
  const { codec, bytes, layout } = chunk;
  return codec.toRaw ? { ...chunk, bytes: yield* codec.toRaw(bytes, layout), codec: rawCodec } : chunk;
}

/** Whether any channel of a value is not 0. The value is `width` words long and starts at word `from`. */
export function isLabel(words: WordArray, from: number, width: number): boolean {
  for (let w = from; w < from + width; w++) if (words[w] !== 0) return true;
  return false;
}
