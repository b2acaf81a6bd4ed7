/** Disjoint sets of integers, each represented by its smallest member. A number that was never joined is a set of its own. */
export class Disjoint {
  readonly #above = new Map<number, number>();

  find(member: number): number {
    let top = member;
    for (let above = this.#above.get(top); above !== undefined; above = this.#above.get(top)) top = above;
    while (member !== top) {
      const above = this.#above.get(member)!;
      this.#above.set(member, top);
      member = above;
    }
    return top;
  }

  /** Joins two sets. @returns the larger representative, which is none any more, or undefined when they were one set before. */
  join(a: number, b: number): number | undefined {
    const topA = this.find(a), topB = this.find(b);
    if (topA === topB) return undefined;
    const gone = Math.max(topA, topB);
    this.#above.set(gone, Math.min(topA, topB));
    return gone;
  }
}
