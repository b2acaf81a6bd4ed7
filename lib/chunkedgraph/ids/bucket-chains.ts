/**
 * The buckets of a hash table whose rows are numbered. Each bucket is a chain of rows. The table grows by one
 * bucket at a time (linear hashing), so that no addition moves all rows at once.
 *
 * Memory: 8 to 16 bytes per row.
 */
const FIRST_BUCKETS = 64;

/** The chains. Rows are named by their ordinals; an ordinal of -1 means none. */
export class BucketChains {
  readonly #hashOf: (ordinal: number) => number;
  /** The first row of each bucket, plus one. */
  #heads = new Int32Array(2 * FIRST_BUCKETS);
  /** The next row in the bucket of each row, plus one. */
  #next = new Int32Array(FIRST_BUCKETS);
  /** All buckets below `split`, and those from `half` on, are divided already. `half` is a power of two. */
  #half = FIRST_BUCKETS;
  #split = 0;
  #rows = 0;

  /**
   * @param hashOf Returns the hash of a row that is linked: any 32 bits, the lowest of which are used first.
   */
  constructor(hashOf: (ordinal: number) => number) {
    this.#hashOf = hashOf;
  }

  get bytes(): number {
    return this.#heads.byteLength + this.#next.byteLength;
  }

  /** Returns the first row of the bucket that a hash belongs to. */
  first(hash: number): number {
    return this.#heads[this.#bucketOf(hash)] - 1;
  }

  /** Returns the row after a linked row. */
  after(ordinal: number): number {
    return this.#next[ordinal] - 1;
  }

  /** Adds a row to the bucket of its hash. It must not be linked. */
  link(ordinal: number, hash: number): void {
    if (ordinal >= this.#next.length)
      this.#next = enlarge(this.#next, Math.max(2 * this.#next.length, ordinal + 1));
    this.#prepend(ordinal, this.#bucketOf(hash));
    if (++this.#rows > this.#half + this.#split) this.#divide();
  }

  /** Removes a linked row. */
  unlink(ordinal: number, hash: number): void {
    const bucket = this.#bucketOf(hash),
      next = this.#next;
    let before = this.#heads[bucket] - 1;
    if (before === ordinal) this.#heads[bucket] = next[ordinal];
    else {
      while (next[before] - 1 !== ordinal) before = next[before] - 1;
      next[before] = next[ordinal];
    }
    this.#rows--;
  }

  #bucketOf(hash: number): number {
    const bucket = hash & (2 * this.#half - 1);
    return bucket < this.#half + this.#split ? bucket : bucket & (this.#half - 1);
  }

  #prepend(ordinal: number, bucket: number): void {
    this.#next[ordinal] = this.#heads[bucket];
    this.#heads[bucket] = ordinal + 1;
  }

  /** Divides the next bucket between itself and a new one. */
  #divide(): void {
    const bucket = this.#split++;
    let ordinal = this.#heads[bucket] - 1;
    this.#heads[bucket] = 0;
    while (ordinal >= 0) {
      const following = this.#next[ordinal] - 1;
      this.#prepend(ordinal, this.#bucketOf(this.#hashOf(ordinal)));
      ordinal = following;
    }
    if (this.#split < this.#half) return;
    this.#half *= 2;
    this.#split = 0;
    this.#heads = enlarge(this.#heads, 2 * this.#half);
  }
}

function enlarge(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(old);
  return larger;
}

/** Returns 32 bits of hash of a uint64; the lowest are mixed best. */
export function hashOfWords(low: number, high: number): number {
  let hash = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
