/**
 * Packs the answers of points into records of fixed width, and unpacks them into the rows of a table. Pure.
 */
import type { AnswerColumn, RowAnswers } from '../tables/answers.ts';

type Values = AnswerColumn['values'];

/** The types that arrays of answers have, by their names. */
const ARRAY_TYPES = {
  BigUint64Array,
  BigInt64Array,
  Float64Array,
  Float32Array,
  Int32Array,
  Uint32Array,
  Int16Array,
  Uint16Array,
  Int8Array,
  Uint8Array,
} as const;

/** The name of a type of arrays. */
export type ArrayTypeName = keyof typeof ARRAY_TYPES;

/** The names of all types of arrays. */
export const ARRAY_TYPE_NAMES = Object.keys(ARRAY_TYPES) as readonly ArrayTypeName[];

/** One array of answers: its columns share it. */
interface PackedArray {
  type: ArrayTypeName;
  stride: number;
}

/** How the answers of one volume are packed: the arrays of its columns, then its statuses. Plain data. */
export interface VolumeLayout {
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
  /** The main volume, then the others. */
  readonly volumes: readonly VolumeLayout[];
  readonly #arrays: readonly PackedArray[];

  /** @param volumes What {@link AnswerLayout.volumes} of the same answers was. */
  constructor(volumes: readonly VolumeLayout[]) {
    this.volumes = volumes;
    this.#arrays = volumes.flatMap(({ arrays }) => arrays);
    this.width = this.#arrays.reduce((sum, array) => sum + bytesPerPoint(array), 0);
  }

  /** Makes the layout of answers. */
  static of(answers: RowAnswers): AnswerLayout {
    return new AnswerLayout([answers, ...(answers.also ?? [])].map(layoutOf));
  }

  /**
   * Packs the answers of the points from `from` to before `end`.
   * @returns The packed bytes in several pieces, which share the memory of the answers.
   */
  pack(answers: RowAnswers, from: number, end: number): Uint8Array[] {
    return [answers, ...(answers.also ?? [])].flatMap((volume, k) =>
      arraysOf(volume).map((array, index) => {
        const width = bytesPerPoint(this.volumes[k].arrays[index]);
        return new Uint8Array(array.buffer, array.byteOffset + from * width, (end - from) * width);
      }),
    );
  }

  /** Returns answers without values: every number and every status is 0. */
  createAnswers(count: number): UnpackedAnswers {
    const all: (Values | Uint8Array)[] = [];
    const volumes = this.volumes.map(({ columns, arrayOf, arrays }) => {
      const own = arrays.map(({ type, stride }) => new ARRAY_TYPES[type](count * stride));
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
   * @param places The place of each point, or {@link NO_PLACE} if its answer is not wanted.
   */
  unpack(packed: Uint8Array, places: Uint32Array, { arrays }: UnpackedAnswers): void {
    const count = places.length;
    let at = 0;
    for (const [k, array] of this.#arrays.entries()) {
      const { type, stride } = array,
        end = at + count * bytesPerPoint(array);
      const bytes = aligned(packed.subarray(at, end), ARRAY_TYPES[type].BYTES_PER_ELEMENT),
        values = new ARRAY_TYPES[type](bytes.buffer as ArrayBuffer, bytes.byteOffset, count * stride);
      at = end;
      scatter(values, stride, places, arrays[k]);
    }
  }

  /**
   * Replaces answers of one volume.
   * @param volume The index of the volume.
   * @param places The place of each of the answers.
   * @returns Whether the answers have this layout. If not, nothing is replaced.
   */
  replace(volume: number, answers: RowAnswers, places: Uint32Array, { arrays }: UnpackedAnswers): boolean {
    const own = this.volumes[volume];
    if (JSON.stringify(layoutOf(answers)) !== JSON.stringify(own)) return false;
    const before = this.volumes.slice(0, volume).reduce((sum, { arrays: others }) => sum + others.length, 0);
    for (const [k, array] of arraysOf(answers).entries())
      scatter(array, own.arrays[k].stride, places, arrays[before + k]);
    return true;
  }
}

/** Returns the same bytes at an offset that a typed array may have. */
const aligned = (bytes: Uint8Array, size: number): Uint8Array =>
  bytes.byteOffset % size === 0 ? bytes : bytes.slice();

/** In place of a place: the answer is not wanted. */
export const NO_PLACE = 2 ** 32 - 1;

/** Copies values to their places. 64-bit values move as two words: a bigint per value would be slow. */
function scatter(
  values: Values | Uint8Array,
  stride: number,
  places: Uint32Array,
  target: Values | Uint8Array,
): void {
  if (values instanceof BigUint64Array || values instanceof BigInt64Array) {
    const source = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length),
      to = new Uint32Array(target.buffer);
    if (stride === 1) scatterPairs(source, places, to);
    else scatterGroups(source, 2 * stride, places, to);
  } else if (values instanceof Uint8Array && stride === 1) scatterBytes(values, places, target as Uint8Array);
  else scatterGroups(values, stride, places, target as Uint8Array);
}

// One function for each common type: V8 makes each faster than one loop for all types.

function scatterPairs(source: Uint32Array, places: Uint32Array, target: Uint32Array): void {
  for (let point = 0; point < places.length; point++) {
    const place = places[point];
    if (place === NO_PLACE) continue;
    target[2 * place] = source[2 * point];
    target[2 * place + 1] = source[2 * point + 1];
  }
}

function scatterBytes(source: Uint8Array, places: Uint32Array, target: Uint8Array): void {
  for (let point = 0; point < places.length; point++) {
    const place = places[point];
    if (place !== NO_PLACE) target[place] = source[point];
  }
}

function scatterGroups(
  source: Exclude<Values, BigUint64Array | BigInt64Array>,
  size: number,
  places: Uint32Array,
  target: Exclude<Values, BigUint64Array | BigInt64Array>,
): void {
  for (let point = 0; point < places.length; point++) {
    const place = places[point];
    if (place === NO_PLACE) continue;
    for (let k = 0; k < size; k++) target[place * size + k] = source[point * size + k];
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
    arrays: arrays.map((array) => ({
      type: array.constructor.name as ArrayTypeName,
      stride: columns.find(({ values }) => values === array)?.stride ?? 1,
    })),
  };
}

const bytesPerPoint = ({ type, stride }: PackedArray): number => stride * ARRAY_TYPES[type].BYTES_PER_ELEMENT;

/** Returns the distinct arrays of answers, the statuses last. */
const arraysOf = ({ columns, status }: RowAnswers): (Values | Uint8Array)[] => [
  ...new Set<Values>(columns.map(({ values }) => values)),
  status,
];
