/** Some of the points of a source, as a source. */
import { PointSource } from './point-input.ts';

/** The points at some indices. */
export class ChosenPoints extends PointSource {
  readonly count: number;
  readonly #source: PointSource;
  readonly #indices: ArrayLike<number>;

  constructor(source: PointSource, indices: ArrayLike<number>) {
    super();
    this.count = indices.length;
    this.#source = source;
    this.#indices = indices;
  }

  read(first: number, out: Float64Array): void {
    this.#readEach(first, out, (index, one) => this.#source.read(index, one));
  }

  override readPlaces(first: number, out: Float64Array): void {
    this.#readEach(first, out, (index, one) => this.#source.readPlaces(index, one));
  }

  #readEach(first: number, out: Float64Array, read: (index: number, one: Float64Array) => void): void {
    const end = Math.min(this.count, first + Math.floor(out.length / 3));
    for (let k = first, at = 0; k < end; k++, at += 3) read(this.#indices[k], out.subarray(at, at + 3));
  }
}
