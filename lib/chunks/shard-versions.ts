/**
 * Checks whether pieces of one shard belong to the same version. A writer may replace a shard while it is
 * read. An index of one version would then lead to the wrong chunks of another. Each piece has the validator
 * of its version, and each cached index knows the versions for which it is valid.
 *
 * Replicas behind a load balancer may each send their own validators, or new ones each time. This shows when
 * an index is read again: the same bytes come with another validator. The index is then valid for both. If
 * the validators never stop changing, they are not compared any more.
 */
import { normalizeValidator } from '../storage/validator.ts';

/**
 * The versions of a shard for which a cached index is valid. If none is known, every version counts as valid.
 */
export class ShardVersions {
  readonly #known = new Set<string>();
  /** The version of the newest reply. */
  readonly latest: string | undefined;

  constructor(
    validator: string | undefined,
    /** When that was known, in turns of {@link VersionCheck.nextTurn}. */
    readonly learnedAt: number,
  ) {
    this.latest = validator === undefined ? undefined : normalizeValidator(validator);
    if (this.latest !== undefined) this.#known.add(this.latest);
  }

  get isUnknown(): boolean {
    return this.#known.size === 0;
  }

  has(validator: string): boolean {
    return this.#known.has(normalizeValidator(validator));
  }

  /** Adds versions in which the same bytes came. */
  addAll(others: ShardVersions): void {
    for (const validator of others.#known) this.#known.add(validator);
  }
}

/** If two validators alternate for the same bytes in this many indices, they do not name two versions. */
const MIN_ALTERNATING = 4;

/**
 * Compares versions, and learns whether the validators of the server can be trusted. Each volume has its own.
 */
export class VersionCheck {
  #turns = 0;
  #isOff = false;
  #isWarned = false;
  /** Whether another version once had other bytes, which proves that the validators tell versions apart. */
  #isProven = false;
  readonly #alternating = new Set<string>();
  readonly #warn: (message: string) => void;

  /** @param warn Called once if the validators of the server do not tell versions apart. */
  constructor(warn: (message: string) => void = () => undefined) {
    this.#warn = warn;
  }

  /** Returns the next number of a counter, which orders reads in time. */
  nextTurn(): number {
    return ++this.#turns;
  }

  versionsOf({ validator }: { validator?: string }): ShardVersions {
    return new ShardVersions(validator, this.nextTurn());
  }

  /** Whether a piece has one of these versions. */
  agrees(versions: ShardVersions, { validator }: { validator?: string }): boolean {
    return this.#isOff || validator === undefined || versions.isUnknown || versions.has(validator);
  }

  /** Whether all pieces have the same version. */
  areOneVersion(pieces: readonly { validator?: string }[]): boolean {
    const seen = new Set(
      pieces.flatMap(({ validator }) => (validator === undefined ? [] : [normalizeValidator(validator)])),
    );
    return this.#isOff || seen.size <= 1;
  }

  /**
   * Learns from an index that was read again after a version mismatch.
   *
   * @param url The shard file, for the warning.
   * @param isSame Whether the index has the same bytes as before.
   * @param offending The validator of the mismatch.
   * @param isAgain Whether this is not the first time that the index was read again.
   * @returns Whether the reason of the mismatch is still unknown: the index is the same, and not known to be
   *   valid for the offending version.
   */
  learn(
    url: string,
    before: ShardVersions,
    after: ShardVersions,
    isSame: boolean,
    offending: string | undefined,
    isAgain: boolean,
  ): boolean {
    if (!isSame) this.#isProven = true;
    if (!isSame || before === after) return false;
    after.addAll(before);
    if (this.#isOff || offending === undefined || after.latest === undefined) return false;
    if (!after.has(offending)) return true;
    if (isAgain) {
      this.#warnOnce(url);
      this.#alternating.add(url);
      if (this.#alternating.size >= MIN_ALTERNATING && !this.#isProven) this.#isOff = true;
    }
    return false;
  }

  /** Stops all comparisons, because the same bytes came with ever new validators. */
  stopComparing(url: string): void {
    this.#isOff = true;
    this.#warnOnce(url);
  }

  #warnOnce(url: string): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#warn(
      `${url}: the server sends the same bytes with changing ETags or dates, as replicas behind a load balancer do; ` +
        'if a file of this volume is replaced while it is read, that may go unnoticed',
    );
  }
}
