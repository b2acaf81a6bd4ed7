/**
 * Maps the IDs of two servers that chose different IDs for the same nodes. Pairs are learnt from answers. An
 * answer that is a set of several new IDs only tells that the sets are equal, until an ordered answer tells
 * the IDs apart.
 */
export class Bijection {
  readonly #toMock = new Map<string, string>();
  readonly #toRecorded = new Map<string, string>();
  readonly #groupOf = new Map<string, string>();
  #groups = 0;

  /** @param isShared Whether both servers use the same ID. */
  constructor(readonly isShared: (id: string) => boolean) {}

  /** The mock's ID for an ID of the recording. */
  translated(recorded: string): string {
    return this.#toMock.get(recorded) ?? recorded;
  }

  /** Learns a pair. @returns Whether it agrees with the pairs learnt before. */
  pair(recorded: string, mock: string): boolean {
    if (this.isShared(recorded) || this.#toMock.has(recorded) || this.#toRecorded.has(mock))
      return this.translated(recorded) === mock;
    if (this.#groupOf.get(`recorded ${recorded}`) !== this.#groupOf.get(`mock ${mock}`)) return false;
    this.#toMock.set(recorded, mock);
    this.#toRecorded.set(mock, recorded);
    return true;
  }

  /** Learns a pair of sets of new IDs. */
  pairSets(recorded: readonly string[], mock: readonly string[]): boolean {
    if (recorded.length !== mock.length) return false;
    if (recorded.length === 1) return this.pair(recorded[0], mock[0]);
    const group = `group ${this.#groups++}`;
    for (const id of recorded) this.#groupOf.set(`recorded ${id}`, group);
    for (const id of mock) this.#groupOf.set(`mock ${id}`, group);
    return true;
  }

  /** IDs in a form that can be compared between both servers: the pair if it is known, else the set. */
  common(id: string, side: 'recorded' | 'mock'): string {
    const known = side === 'recorded' ? this.#toMock.get(id) : this.#toRecorded.has(id) ? id : undefined;
    return known ?? this.#groupOf.get(`${side} ${id}`) ?? id;
  }
}
