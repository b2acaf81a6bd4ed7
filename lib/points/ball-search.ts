/**
 * Finds the nearest label around many voxels in the bytes of one chunk. The search goes outwards shell by
 * shell, so a near label costs little.
 */
import { inStretches, runWithoutPause, type PausableWork } from '../base/cooperative-work.ts';
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
import type { ChunkSearches } from './search-tasks.ts';

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

/** How a chunk is searched: by a codec that decodes single voxels, or by one that decodes the whole chunk. */
interface SearchPace {
  /** Number of values decoded at a time. */
  values: number;
  /** Rank at which the first shell ends. */
  firstShell: number;
}
const BY_POINT: SearchPace = { values: 2 ** 12, firstShell: 8 },
  BY_CHUNK: SearchPace = { values: 2 ** 18, firstShell: 64 };
/** Each shell reaches twice as far as the shell before: 8 times the voxels. */
const SHELL_GROWTH = 8;
/** Points of a shell that are checked between two pauses. */
const POINTS_PER_STRETCH = 2 ** 13;

/** The voxels that are decoded next. */
class Candidates {
  readonly size: number;
  readonly offsets: Uint32Array;
  readonly points: Uint32Array;
  readonly ranks: Uint32Array;
  /** Where each value goes in `words`: the numbers from 0. */
  readonly outIndex: Uint32Array;
  readonly words: WordArray;

  constructor(size: number, channels: number, dataType: DataType) {
    this.size = size;
    this.offsets = new Uint32Array(size);
    this.points = new Uint32Array(size);
    this.ranks = new Uint32Array(size);
    this.outIndex = new Uint32Array(size);
    for (let k = 0; k < size; k++) this.outIndex[k] = k;
    this.words = wordsView(new DATA_TYPES[dataType](size * channels));
  }
}

/**
 * Searches chunks for labels. All searches share their candidates, which are empty at every pause: 100 kB, and
 * 6 MB for codecs that decode whole chunks.
 */
export class BallSearch {
  readonly #channels: number;
  readonly #wordsPerPoint: number;
  readonly #dataType: DataType;
  readonly #candidates = new Map<SearchPace, Candidates>();

  constructor(
    readonly ball: Ball,
    { numChannels, dataType }: { numChannels: number; dataType: DataType },
  ) {
    this.#channels = numChannels;
    this.#wordsPerPoint = numChannels * wordsPerValue(dataType);
    this.#dataType = dataType;
  }

  /**
   * Finds the label of lowest rank in this chunk for each search, and stores it if it beats the known rank.
   * @throws DecodeError; labels found before the error are right.
   */
  *run(
    loaded: LoadedChunk,
    { points, voxels, firstRanks }: ChunkSearches,
    nearest: NearestLabels,
  ): PausableWork {
    const chunk = yield* toRawChunk(loaded);
    const { ranks } = nearest,
      { ball } = this,
      pace = chunk.codec.isPointwise ? BY_POINT : BY_CHUNK,
      candidates = this.#candidatesOf(pace);
    const [sx, sy, sz] = chunk.layout.chunkSize,
      [minX, minY, minZ] = chunk.min;
    const at = new Int32Array(3);
    // The searches that may still find a nearer label.
    const pending = new Uint32Array(points.length);
    for (let k = 0; k < pending.length; k++) pending[k] = k;
    let pendingCount = pending.length;
    for (let from = 0, to = pace.firstShell; pendingCount > 0; from = to, to *= SHELL_GROWTH) {
      let n = 0,
        examined = 0;
      for (let k = 0; k < pendingCount; k++) {
        const search = pending[k],
          point = points[search];
        const x0 = voxels[3 * search] - minX,
          y0 = voxels[3 * search + 1] - minY,
          z0 = voxels[3 * search + 2] - minZ;
        // Any decode may lower the known rank.
        for (let rank = Math.max(from, firstRanks[search]); rank < to && rank < ranks[point]; rank++) {
          examined++;
          ball.voxelAt(rank, at);
          const x = x0 + at[0],
            y = y0 + at[1],
            z = z0 + at[2];
          if (x >= 0 && y >= 0 && z >= 0 && x < sx && y < sy && z < sz) {
            candidates.offsets[n] = x + sx * (y + sy * z);
            candidates.points[n] = point;
            candidates.ranks[n++] = rank;
          }
          if (n < candidates.size && examined < pace.values) continue;
          this.#decode(chunk, candidates, n, nearest);
          n = examined = 0;
          yield;
        }
      }
      this.#decode(chunk, candidates, n, nearest);
      if (n > 0) yield;
      const shellCount = pendingCount;
      pendingCount = 0;
      yield* inStretches(
        shellCount,
        (first, end) => {
          for (let k = first; k < end; k++)
            if (ranks[points[pending[k]]] > to) pending[pendingCount++] = pending[k];
        },
        POINTS_PER_STRETCH,
      );
    }
  }

  /** The first touch of memory is slow, so only the candidates that are needed are made. */
  #candidatesOf(pace: SearchPace): Candidates {
    const size = Math.max(1, Math.floor(pace.values / this.#channels));
    let candidates = this.#candidates.get(pace);
    if (!candidates)
      this.#candidates.set(pace, (candidates = new Candidates(size, this.#channels, this.#dataType)));
    return candidates;
  }

  #decode(
    { bytes, codec, layout }: LoadedChunk,
    { offsets, points, ranks: candidateRanks, outIndex, words }: Candidates,
    n: number,
    { ranks, out }: NearestLabels,
  ): void {
    if (n === 0) return;
    const width = this.#wordsPerPoint;
    // A slow codec is raw by now.
    runWithoutPause(
      codec.decodePoints(bytes, layout, offsets.subarray(0, n), words, outIndex.subarray(0, n)),
    );
    for (let k = 0; k < n; k++) {
      const point = points[k],
        rank = candidateRanks[k];
      if (rank >= ranks[point] || !isLabel(words, k * width, width)) continue;
      ranks[point] = rank;
      for (let w = 0; w < width; w++) out[point * width + w] = words[k * width + w];
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
