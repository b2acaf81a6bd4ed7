/**
 * Packs the answers of points into records of fixed width, and unpacks them into the rows of a table. Pure.
 */
import type { AnswerColumn, RowAnswers } from '../tables/answers.ts';

type Values = AnswerColumn['values'];

/** One array of answers: its columns share it. */
interface PackedArray {
  /** Creates an array of this type. */
  create: (length: number) => Values | Uint8Array;
  bytesPerPoint: number;
  stride: number;
}

/** How the answers of one volume are packed: the arrays of its columns, then its statuses. */
interface VolumeLayout {
  columns: readonly Omit<AnswerColumn, 'values'>[];
  /** For each column, the index of its array in `arrays`. The statuses are the last array. */
  arrayOf: readonly number[];
  arrays: readonly PackedArray[];
}

/** The answers of rows, as they are filled from packed records. */
export interface UnpackedAnswers {
  answers: RowAnswers;
  /** All arrays, in the order in which they are packed. */
  arrays: readonly (Values | Uint8Array)[];
}

/** The layout of all answers of a job, known from its first answers. */
export class AnswerLayout {
  /** The number of bytes per point. */
  readonly width: number;
  readonly #volumes: readonly VolumeLayout[];

  constructor(answers: RowAnswers) {
    this.#volumes = [answers, ...(answers.also ?? [])].map(layoutOf);
    this.width = this.#volumes
      .flatMap(({ arrays }) => arrays)
      .reduce((sum, { bytesPerPoint }) => sum + bytesPerPoint, 0);
  }

  /** Packs the answers of the points from `from` to before `end`. */
  pack(answers: RowAnswers, from: number, end: number): Uint8Array {
    const packed = new Uint8Array((end - from) * this.width),
      volumes = [answers, ...(answers.also ?? [])];
    let at = 0;
    for (const [k, { arrays }] of this.#volumes.entries())
      for (const [index, array] of arraysOf(volumes[k]).entries()) {
        const { bytesPerPoint } = arrays[index];
        packed.set(
          new Uint8Array(array.buffer, array.byteOffset + from * bytesPerPoint, (end - from) * bytesPerPoint),
          at,
        );
        at += (end - from) * bytesPerPoint;
      }
    return packed;
  }

  /** Returns answers without values: every number and every status is 0. */
  createAnswers(count: number): UnpackedAnswers {
    const all: (Values | Uint8Array)[] = [];
    const volumes = this.#volumes.map(({ columns, arrayOf, arrays }) => {
      const own = arrays.map(({ create, stride }) => create(count * stride));
      all.push(...own);
      return {
        columns: columns.map((column, k) => ({ ...column, values: own[arrayOf[k]] })),
        status: own[own.length - 1] as Uint8Array,
        presetStatus: new Uint8Array(count),
      };
    });
    const [main, ...also] = volumes;
    return { answers: { ...main, also }, arrays: all };
  }

  /**
   * Writes packed answers to their places.
   * @param placeOf Returns the place of a point, or -1 if its answer is not wanted.
   */
  unpack(
    packed: Uint8Array,
    count: number,
    placeOf: (point: number) => number,
    { arrays }: UnpackedAnswers,
  ): void {
    let at = 0;
    for (const [k, { create, stride, bytesPerPoint }] of this.#volumes.flatMap((v) => v.arrays).entries()) {
      const values = create(count * stride);
      new Uint8Array(values.buffer).set(packed.subarray(at, at + count * bytesPerPoint));
      at += count * bytesPerPoint;
      scatter(values, stride, placeOf, arrays[k]);
    }
  }
}

/** Copies values to their places. 64-bit values move as two words: a bigint per value would be slow. */
function scatter(
  values: Values | Uint8Array,
  stride: number,
  placeOf: (point: number) => number,
  target: Values | Uint8Array,
): void {
  const isWide = values instanceof BigUint64Array || values instanceof BigInt64Array;
  const source = isWide ? new Uint32Array(values.buffer) : values,
    to = isWide ? new Uint32Array(target.buffer) : (target as Uint8Array);
  const size = isWide ? 2 * stride : stride,
    count = values.length / stride;
  for (let point = 0; point < count; point++) {
    const place = placeOf(point);
    if (place < 0) continue;
    for (let k = 0; k < size; k++) to[place * size + k] = source[point * size + k];
  }
}

function layoutOf({ columns, status }: RowAnswers): VolumeLayout {
  const arrays = arraysOf({ columns, status });
  return {
    columns: columns.map(({ stride, offset, zeroMeansMissing, decimals, words }) => ({
      stride,
      offset,
      zeroMeansMissing,
      decimals,
      words,
    })),
    arrayOf: columns.map(({ values }) => arrays.indexOf(values)),
    arrays: arrays.map((array) => {
      const stride = columns.find(({ values }) => values === array)?.stride ?? 1,
        create = array.constructor as new (length: number) => Values;
      return {
        create: (length) => new create(length),
        stride,
        bytesPerPoint: stride * array.BYTES_PER_ELEMENT,
      };
    }),
  };
}

/** Returns the distinct arrays of answers, the statuses last. */
const arraysOf = ({ columns, status }: RowAnswers): (Values | Uint8Array)[] => [
  ...new Set<Values>(columns.map(({ values }) => values)),
  status,
];
