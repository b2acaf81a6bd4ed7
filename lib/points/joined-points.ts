/** The points of several callers as those of one call. */
import { PointSource } from './point-input.ts';

/** Several sources of points, one after the other. */
export class JoinedPoints extends PointSource {
  readonly count: number;
  readonly #sources: readonly PointSource[];
  /** The index of the first point of each source. */
  readonly #starts: Float64Array;

  constructor(sources: readonly PointSource[]) {
    super();
    const starts = new Float64Array(sources.length);
    let count = 0;
    for (let k = 0; k < sources.length; k++) {
      starts[k] = count;
      count += sources[k].count;
    }
    this.count = count;
    this.#sources = sources;
    this.#starts = starts;
  }

  read(first: number, out: Float64Array): void {
    this.#readEach(first, out, (source, from, part) => source.read(from, part));
  }

  override readPlaces(first: number, out: Float64Array): void {
    this.#readEach(first, out, (source, from, part) => source.readPlaces(from, part));
  }

  #readEach(
    first: number,
    out: Float64Array,
    read: (source: PointSource, from: number, part: Float64Array) => void,
  ): void {
    const end = Math.min(this.count, first + Math.floor(out.length / 3));
    for (let k = this.#sourceAt(first), point = first; point < end; k++) {
      const source = this.#sources[k],
        start = this.#starts[k],
        next = Math.min(end, start + source.count);
      if (next === point) continue; // a source without points
      read(source, point - start, out.subarray(3 * (point - first), 3 * (next - first)));
      point = next;
    }
  }

  /** Returns the last source that begins at a point or before it. */
  #sourceAt(point: number): number {
    let low = 0,
      high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#starts[middle] <= point) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
