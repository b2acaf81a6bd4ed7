/**
 * Whether pieces of one object belong together. A writer may replace a shard while it is read: the index of one version and a chunk of
 * another would give labels of other chunks. Each piece says its version (a validator), and what is kept says which versions it holds for.
 *
 * Replicas behind a balancer may each have validators of their own, or new ones each time. They show when an index is read again: the same
 * bytes come under another validator. The index then holds for both. Where there is no end to them, nothing is compared any more.
 */
import { normalizeValidator } from '../storage/validator.ts';

/** Versions of an object that something kept of it holds for. Of none: nothing is known, and all are taken for the same. */
export class ShardVersions {
  readonly #known = new Set<string>();
  /** Of the newest reply. */
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

  /** The same bytes came in these versions, too. */
  addAll(others: ShardVersions): void {
    for (const validator of others.#known) this.#known.add(validator);
  }
}

/** Places in which two versions took turns with the same index: so many are no coincidence of two versions with much in common. */
const ENOUGH_PLACES = 4;

/** What a volume has learned of its server's validators. */
export class VersionCheck {
  #turns = 0;
  #isOff = false;
  #isWarned = false;
  /** Another version once had another index: then validators do tell versions apart. */
  #isProven = false;
  readonly #takingTurns = new Set<string>();
  readonly #warn: (message: string) => void;

  /** @param warn Told once, when validators of the server say nothing about versions. */
  constructor(warn: (message: string) => void = () => undefined) {
    this.#warn = warn;
  }

  /** Counts what happens, so that one can tell what came first. */
  nextTurn(): number {
    return ++this.#turns;
  }

  versionsOf({ validator }: { validator?: string }): ShardVersions {
    return new ShardVersions(validator, this.nextTurn());
  }

  /** Whether a piece is of a version that something kept holds for. */
  agrees(versions: ShardVersions, { validator }: { validator?: string }): boolean {
    return this.#isOff || validator === undefined || versions.isUnknown || versions.has(validator);
  }

  /** Whether pieces that were asked for together are of one version. */
  areOneVersion(pieces: readonly { validator?: string }[]): boolean {
    const seen = new Set(
      pieces.flatMap(({ validator }) => (validator === undefined ? [] : [normalizeValidator(validator)])),
    );
    return this.#isOff || seen.size <= 1;
  }

  /**
   * An index was read again because something was of another version.
   *
   * @param place Names the index.
   * @param isAgain It had been read again before, and was of the version that it was of.
   * @returns Whether what to think of that version is still open: the index is the same, and not known to be that version's.
   */
  learn(
    place: string,
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
      this.#tell(place);
      this.#takingTurns.add(place);
      if (this.#takingTurns.size >= ENOUGH_PLACES && !this.#isProven) this.#isOff = true;
    }
    return false;
  }

  /** The same bytes came under ever other validators: they are not compared any more. */
  stopComparing(place: string): void {
    this.#isOff = true;
    this.#tell(place);
  }

  #tell(place: string): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    this.#warn(
      `${place}: its server gives the same bytes under changing ETags or dates, as replicas behind a balancer do; ` +
        'it may go unnoticed when a file of this volume is replaced while it is read',
    );
  }
}
