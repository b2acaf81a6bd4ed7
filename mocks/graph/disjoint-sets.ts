/** Disjoint sets of the integers below `size`, each represented by its smallest member. */
export class DisjointSets {
  readonly #above: Int32Array;

  constructor(size: number) {
    this.#above = Int32Array.from({ length: size }, (_, member) => member);
  }

  find(member: number): number {
    const above = this.#above;
    let top = member;
    while (above[top] !== top) top = above[top];
    while (member !== top) {
      const next = above[member];
      above[member] = top;
      member = next;
    }
    return top;
  }

  /** Joins two sets. @returns the larger representative, which is none any more, or -1 when they were one set before. */
  join(a: number, b: number): number {
    const topA = this.find(a),
      topB = this.find(b);
    if (topA === topB) return -1;
    const gone = Math.max(topA, topB);
    this.#above[gone] = Math.min(topA, topB);
    return gone;
  }
}
