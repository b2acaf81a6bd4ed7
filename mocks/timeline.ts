/** Which value each of many things had since when. Things and values are small integers from 0; nothing is ever forgotten. */
export class Timeline {
  static readonly NONE = -1;
  /** Newest entry of each thing; and of each entry: since when, which value, and the entry before. */
  readonly #newest: number[] = [];
  readonly #sinceMs: number[] = [];
  readonly #value: number[] = [];
  readonly #older: number[] = [];

  /** @param sinceMs Not before any earlier one of this thing. */
  set(thing: number, sinceMs: number, value: number): void {
    while (this.#newest.length <= thing) this.#newest.push(Timeline.NONE);
    this.#older.push(this.#newest[thing]);
    this.#newest[thing] = this.#sinceMs.length;
    this.#sinceMs.push(sinceMs);
    this.#value.push(value);
  }

  /** The value at a moment, that moment included; NONE when there was none yet. */
  at(thing: number, timeMs: number): number {
    let entry = thing < this.#newest.length ? this.#newest[thing] : Timeline.NONE;
    while (entry !== Timeline.NONE && this.#sinceMs[entry] > timeMs) entry = this.#older[entry];
    return entry === Timeline.NONE ? Timeline.NONE : this.#value[entry];
  }
}
