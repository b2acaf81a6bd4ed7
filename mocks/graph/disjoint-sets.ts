/** Disjoint sets of the integers below `size`. The smallest member represents each set. */
export class DisjointSets {
  readonly #parents: Int32Array;

  constructor(size: number) {
    this.#parents = Int32Array.from({ length: size }, (_, member) => member);
  }

  /** The representative of the member's set. */
  find(member: number): number {
    const parents = this.#parents;
    let top = member;
    while (parents[top] !== top) top = parents[top];
    while (member !== top) {
      const next = parents[member];
      parents[member] = top;
      member = next;
    }
    return top;
  }

  /**
   * Joins two sets.
   * @returns The larger of their two representatives, which represents no set any more; -1 if both were in one
   *   set already.
   */
  join(a: number, b: number): number {
    const topA = this.find(a),
      topB = this.find(b);
    if (topA === topB) return -1;
    const absorbed = Math.max(topA, topB);
    this.#parents[absorbed] = Math.min(topA, topB);
    return absorbed;
  }
}
