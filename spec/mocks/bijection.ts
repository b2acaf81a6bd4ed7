/**
 * IDs of two servers that chose different ones for the same nodes. Pairs are learnt from answers; where an answer is a set of several new
 * IDs, it only says that they are the same set, until an ordered answer tells them apart.
 */
export class Bijection {
  readonly #toMock = new Map<string, string>();
  readonly #toRecorded = new Map<string, string>();
  readonly #groupOf = new Map<string, string>();
  #groups = 0;

  /** @param isShared Whether both servers have the ID anyway. */
  constructor(readonly isShared: (id: string) => boolean) {}

  /** What the mock calls an ID of the recording. */
  translated(recorded: string): string {
    return this.#toMock.get(recorded) ?? recorded;
  }

  /** One ID in the place of the other. @returns whether that fits what was learnt before. */
  pair(recorded: string, mock: string): boolean {
    if (this.isShared(recorded) || this.#toMock.has(recorded) || this.#toRecorded.has(mock))
      return this.translated(recorded) === mock;
    if (this.#groupOf.get(`recorded ${recorded}`) !== this.#groupOf.get(`mock ${mock}`)) return false;
    this.#toMock.set(recorded, mock);
    this.#toRecorded.set(mock, recorded);
    return true;
  }

  /** A set of new IDs in the place of another. */
  pairSets(recorded: readonly string[], mock: readonly string[]): boolean {
    if (recorded.length !== mock.length) return false;
    if (recorded.length === 1) return this.pair(recorded[0], mock[0]);
    const group = `group ${this.#groups++}`;
    for (const id of recorded) this.#groupOf.set(`recorded ${id}`, group);
    for (const id of mock) this.#groupOf.set(`mock ${id}`, group);
    return true;
  }

  /** IDs as both servers' answers can be compared by: what was told apart, and else the set. */
  common(id: string, side: 'recorded' | 'mock'): string {
    const known = side === 'recorded' ? this.#toMock.get(id) : this.#toRecorded.has(id) ? id : undefined;
    return known ?? this.#groupOf.get(`${side} ${id}`) ?? id;
  }
}
