/**
 * The probabilities of the symbols of an fpzip stream: a quasi-static model, whose table of cumulative
 * frequencies is rebuilt after every 2 to 1024 symbols.
 *
 * The algorithm is that of fpzip (github.com/LLNL/fpzip), src/rcqsmodel.cpp. Copyright (c) 2018-2019, Lawrence
 * Livermore National Security, LLC; BSD 3-Clause License, see licenses/fpzip.txt.
 */

/** The frequencies of all symbols together: 2 to this power. */
export const TOTAL_BITS = 16;
/** The cumulative frequency is looked up by its highest 7 bits. */
export const LOOKUP_SHIFT = TOTAL_BITS - 7;

/**
 * Up to this precision, a symbol is a difference. With more, it is the difference's sign and the number of its bits.
 */
export const MAX_DIRECT_PRECISION = 8;

const LOOKUP_SIZE = 1 << 7;
/** Most symbols between two rebuilds. */
const LONGEST_INTERVAL = 1024;

/** The model of one field. The loop that decodes symbols reads and counts in its arrays directly. */
export class SymbolModel {
  /** How often each symbol came, as weighed since the last rebuild. */
  readonly frequencies: Int32Array;
  /** `cumulative[s]` to `cumulative[s + 1]` is the share of symbol s. */
  readonly cumulative: Int32Array;
  /** The symbol at each multiple of 2^LOOKUP_SHIFT. */
  readonly lookup = new Uint16Array(LOOKUP_SIZE + 1);
  /** Symbols until the next call of `update`. */
  left = 0;
  /** What a symbol adds to its frequency. */
  increment = 0;
  /** Symbols after `left` that add one more each. */
  #more = 0;
  #interval: number;

  /** @param precision Bits per value: 2 to 64. */
  constructor(precision: number) {
    const symbols = 2 * (precision > MAX_DIRECT_PRECISION ? precision : (1 << precision) - 1) + 1;
    this.frequencies = new Int32Array(symbols);
    this.cumulative = new Int32Array(symbols + 1);
    this.#interval = (symbols >> 4) | 2;
    const total = 1 << TOTAL_BITS;
    this.cumulative[symbols] = total;
    const share = Math.floor(total / symbols);
    this.frequencies.fill(share).fill(share + 1, 0, total % symbols);
    this.update();
  }

  /** Continues when `left` is 0: sets `left` and `increment`, and rebuilds the tables if it is time. */
  update(): void {
    if (this.#more > 0) {
      this.left = this.#more;
      this.#more = 0;
      this.increment++;
      return;
    }
    this.#interval = Math.min(2 * this.#interval, LONGEST_INTERVAL);
    const { frequencies, cumulative, lookup } = this;
    let from = 1 << TOTAL_BITS,
      unused = from;
    for (let symbol = frequencies.length - 1; symbol >= 0; symbol--) {
      from -= frequencies[symbol];
      cumulative[symbol] = from;
      frequencies[symbol] = (frequencies[symbol] >> 1) | 1;
      unused -= frequencies[symbol];
    }
    this.increment = Math.floor(unused / this.#interval);
    this.#more = unused % this.#interval;
    this.left = this.#interval - this.#more;
    for (let symbol = frequencies.length - 1, last = LOOKUP_SIZE; symbol >= 0; symbol--) {
      const first = cumulative[symbol] >> LOOKUP_SHIFT;
      for (let at = first; at <= last; at++) lookup[at] = symbol; // few entries: `fill` would take longer
      last = first;
    }
  }
}
