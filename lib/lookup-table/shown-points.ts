/** Keeps the first points of a look-up with their answers, for a Neuroglancer state. */
import type { PointLookup } from '../jobs/point-lookup.ts';
import type { StateAnswers } from '../neuroglancer/state-of-answers.ts';
import type { AnswerColumn } from '../tables/answers.ts';

/** The first points that a look-up was asked for, up to a bound. */
export class ShownPoints {
  readonly #most: number;
  readonly #parts: { points: Float64Array; status: Uint8Array; ids: BigUint64Array }[] = [];
  #kept = 0;
  /** How many points were looked up. */
  count = 0;

  /** @param most How many points are kept. Each takes 40 bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Watches a look-up from now on: batches that are answered at the same time are kept in the order of their
   * answers.
   */
  watch(lookup: PointLookup): void {
    const lookUp = lookup.lookUp.bind(lookup);
    lookup.lookUp = async (batch) => {
      const count = batch.points.length / 3,
        wanted = Math.min(count, this.#most - this.#kept);
      // The look-up may convert the points in place.
      const points = Float64Array.from(batch.points.subarray(0, 3 * wanted)),
        answers = await lookUp(batch);
      this.count += count;
      const kept = Math.min(wanted, this.#most - this.#kept);
      if (kept <= 0) return answers;
      this.#kept += kept;
      this.#parts.push({
        points: points.subarray(0, 3 * kept),
        status: answers.status.slice(0, kept),
        ids: idsOf(idColumn(lookup, answers.columns), kept),
      });
      return answers;
    };
  }

  /** Returns the points that were kept. The unit is that of the look-up. */
  answers(): Omit<StateAnswers, 'resolution'> {
    const points = new Float64Array(3 * this.#kept),
      status = new Uint8Array(this.#kept),
      ids = new BigUint64Array(this.#kept);
    let first = 0;
    for (const part of this.#parts) {
      points.set(part.points, 3 * first);
      status.set(part.status, first);
      ids.set(part.ids, first);
      first += part.status.length;
    }
    return { points, status, ids };
  }
}

/** Roots if there are any, else supervoxels or labels; undefined for values that are no IDs. */
function idColumn({ kind }: PointLookup, columns: readonly AnswerColumn[]): AnswerColumn | undefined {
  if (kind === 'graph') return columns[1];
  const [column] = columns as readonly (AnswerColumn | undefined)[];
  return column && column.decimals === undefined ? column : undefined;
}

function idsOf(column: AnswerColumn | undefined, count: number): BigUint64Array {
  const ids = new BigUint64Array(count);
  if (!column) return ids;
  const { values, stride, offset } = column;
  for (let k = 0; k < count; k++) {
    const value = values[k * stride + offset];
    if (typeof value === 'bigint' || (Number.isInteger(value) && value >= 0)) ids[k] = BigInt(value);
  }
  return ids;
}
