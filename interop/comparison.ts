/** Counts the answers that are compared, and prints the first few differences. */
import type { Numbers } from './python-client.ts';

const SHOWN = 10;

export class Comparison {
  compared = 0;
  differing = 0;
  readonly #explained = new Map<string, number>();

  constructor(readonly part: string) {}

  /** Compares two arrays value by value, in order. A NaN equals the same NaN. */
  values(what: string, theirs: Numbers, ours: Numbers): void {
    if (theirs.constructor !== ours.constructor || theirs.length !== ours.length)
      return this.#note(
        1,
        `${what}: theirs is ${theirs.constructor.name} of ${theirs.length}, ours ${ours.constructor.name} of ${ours.length}`,
      );
    this.compared += theirs.length;
    if (Buffer.compare(bytes(theirs), bytes(ours)) === 0) return;
    for (let i = 0; i < theirs.length; i++)
      if (!Object.is(theirs[i], ours[i]))
        this.#differs(`${what} [${i}]: theirs ${theirs[i]}, ours ${ours[i]}`);
  }

  /** Compares two lists of IDs in any order. Duplicates count. */
  sets(what: string, theirs: Iterable<bigint>, ours: Iterable<bigint>): void {
    this.values(what, BigUint64Array.from(theirs).sort(), BigUint64Array.from(ours).sort());
  }

  /** Compares two lists item by item, in order. The items may have any shape. */
  each(what: string, theirs: readonly unknown[], ours: readonly unknown[]): void {
    if (theirs.length !== ours.length)
      return this.failed(`${what}: theirs is a list of ${theirs.length}, ours of ${ours.length}`);
    ours.forEach((answer, i) => this.same(`${what} [${i}]`, theirs[i], answer));
  }

  /**
   * Compares two answers of any shape. Numbers are compared as text, so that 64-bit IDs stay exact. Members
   * that are undefined are ignored.
   */
  same(what: string, theirs: unknown, ours: unknown): void {
    const a = text(theirs),
      b = text(ours);
    this.#note(1, a === b ? undefined : `${what}:\n  theirs ${a.slice(0, 500)}\n  ours   ${b.slice(0, 500)}`);
  }

  /** Counts known differences. The caller has checked that they are exactly as expected. */
  explained(reason: string, count = 1): void {
    this.#explained.set(reason, (this.#explained.get(reason) ?? 0) + count);
  }

  /** Counts a failure as a difference. */
  failed(what: string): void {
    this.#note(1, what);
  }

  report(): void {
    for (const [reason, count] of this.#explained) console.log(`${this.part}: ${count} explained: ${reason}`);
    console.log(`${this.part}: ${this.compared} compared, ${this.differing} differ`);
  }

  #note(count: number, difference: string | undefined): void {
    this.compared += count;
    if (difference !== undefined) this.#differs(difference);
  }

  #differs(difference: string): void {
    if (++this.differing <= SHOWN) console.log(`${this.part}: ${difference}`);
    else if (this.differing === SHOWN + 1) console.log(`${this.part}: further differences are only counted`);
  }
}

const bytes = ({ buffer, byteOffset, byteLength }: Numbers): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

const text = (value: unknown): string =>
  JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'number' || typeof item === 'bigint') return String(item);
    if (item instanceof Map)
      return Object.fromEntries(
        [...(item as Map<unknown, unknown>)].map(([key, entry]) => [String(key), entry]),
      );
    if (ArrayBuffer.isView(item)) return Array.from(item as unknown as ArrayLike<number | bigint>, String);
    if (typeof item === 'object' && item !== null && !Array.isArray(item))
      return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
    return item;
  });
