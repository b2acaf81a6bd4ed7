/** The nearest labels around many voxels, out of the bytes of one chunk: shell after shell, so that a near label costs little. */
import type { PausableWork } from '../base/cooperative-work.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { ChunkLayout, Codec } from '../codecs/codec.ts';
import {
  DATA_TYPES,
  wordsPerValue,
  wordsView,
  type DataType,
  type WordArray,
} from '../precomputed/data-type.ts';
import type { Ball } from './ball.ts';

/** A point that looks for a label, in voxels from the volume's first. */
export interface SnapPoint {
  pointIndex: number;
  voxel: Vec3;
}

/** A chunk that a seeker looks into; none of its voxels has a rank below `first`. */
export interface SearchTask {
  snapPoint: SnapPoint;
  cell: number;
  firstRank: number;
}

export interface LoadedChunk {
  bytes: Uint8Array;
  codec: Codec;
  layout: ChunkLayout;
  /** Its first voxel, from the volume's first. */
  min: Vec3;
}

/** What is known of every point. */
export interface NearestLabels {
  /** Rank of the nearest label so far, or one that a label must be below to count. */
  ranks: Uint32Array;
  /** Words of the labels. */
  out: WordArray;
}

/** Voxels decoded at a time. */
const BATCH_VALUES = 2 ** 18;
/** Ranks up to the end of the first shell. Each goes twice as far as the one before, and so has eight times the voxels. */
const FIRST_SHELL = 64,
  SHELL_GROWTH = 8;
/** Ranks looked at between two pauses: what decodes all of a chunk for some of its voxels does so seldom. */
const STRETCH = 2 ** 18,
  STRETCH_BY_POINT = 2 ** 15;

/** Holds some 4 MB to work in, which all searches share: none pauses while anything of it is in there. */
export class BallSearch {
  readonly #batch: number;
  readonly #wordsPerPoint: number;
  readonly #offsets: Uint32Array;
  readonly #points: Uint32Array;
  readonly #ranks: Uint32Array;
  readonly #places: Uint32Array;
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
    this.#places = new Uint32Array(this.#batch);
    for (let k = 0; k < this.#batch; k++) this.#places[k] = k;
    this.#words = wordsView(new DATA_TYPES[dataType](this.#batch * numChannels));
  }

  /**
   * Finds for each seeker the label of lowest rank in this chunk, if its rank is below the one known.
   * @throws DecodeError; what was found until then is right.
   */
  *run(chunk: LoadedChunk, looks: readonly SearchTask[], found: NearestLabels): PausableWork {
    const { ranks } = found;
    const { ball } = this,
      batch = this.#batch,
      offsets = this.#offsets,
      points = this.#points,
      candidateRanks = this.#ranks;
    const [sx, sy, sz] = chunk.layout.chunkSize,
      stretch = chunk.codec.isPointwise ? STRETCH_BY_POINT : STRETCH;
    const at = new Int32Array(3);
    let open = looks,
      n = 0,
      looked = 0;
    for (let from = 0, to = FIRST_SHELL; open.length > 0; from = to, to *= SHELL_GROWTH) {
      for (const {
        snapPoint: { pointIndex: point, voxel },
        firstRank: first,
      } of open) {
        const x0 = voxel[0] - chunk.min[0],
          y0 = voxel[1] - chunk.min[1],
          z0 = voxel[2] - chunk.min[2];
        // The rank known may sink at any flush.
        for (let rank = Math.max(from, first); rank < to && rank < ranks[point]; rank++) {
          ball.voxelAt(rank, at);
          const x = x0 + at[0],
            y = y0 + at[1],
            z = z0 + at[2];
          if (!(x >= 0 && y >= 0 && z >= 0 && x < sx && y < sy && z < sz)) continue;
          offsets[n] = x + sx * (y + sy * z);
          points[n] = point;
          candidateRanks[n++] = rank;
          if (n < batch) continue;
          this.#decode(chunk, n, found);
          n = 0;
          looked = stretch;
        }
        if ((looked += to - from) < stretch) continue;
        if (n > 0) this.#decode(chunk, n, found);
        n = looked = 0;
        yield;
      }
      if (n > 0) this.#decode(chunk, n, found);
      n = 0;
      open = open.filter(({ snapPoint: { pointIndex: point } }) => ranks[point] > to);
    }
  }

  #decode({ bytes, codec, layout }: LoadedChunk, n: number, { ranks, out }: NearestLabels): void {
    const words = this.#words,
      width = this.#wordsPerPoint;
    codec.decodePoints(bytes, layout, this.#offsets.subarray(0, n), words, this.#places.subarray(0, n));
    for (let k = 0; k < n; k++) {
      const point = this.#points[k],
        rank = this.#ranks[k];
      if (rank >= ranks[point] || !isLabel(words, k * width, width)) continue;
      ranks[point] = rank;
      for (let w = 0; w < width; w++) out[point * width + w] = words[k * width + w];
    }
  }
}

/** Whether any channel of the point whose words start at `from` is other than 0. */
export function isLabel(words: WordArray, from: number, width: number): boolean {
  for (let w = from; w < from + width; w++) if (words[w] !== 0) return true;
  return false;
}
