/** All that can be reached from `start`, itself first, the nearer before the farther. */
export function reachableFrom(start: number, neighboursOf: (one: number) => Iterable<number>): Set<number> {
  const reached = new Set([start]);
  for (const one of reached) for (const other of neighboursOf(one)) reached.add(other);
  return reached;
}

/** Who is linked to whom, in both directions. */
export class Neighbours {
  readonly #of = new Map<number, number[]>();

  /** Makes it known, with or without links. */
  add(one: number): number[] {
    let others = this.#of.get(one);
    if (!others) this.#of.set(one, (others = []));
    return others;
  }

  link(a: number, b: number): void {
    this.add(a).push(b);
    this.add(b).push(a);
  }

  has(one: number): boolean {
    return this.#of.has(one);
  }

  of(one: number): readonly number[] {
    return this.#of.get(one) ?? [];
  }

  reachableFrom(start: number): Set<number> {
    return reachableFrom(start, (one) => this.of(one));
  }

  /** All that are known, by what they can reach. */
  components(): number[][] {
    const found: number[][] = [];
    const seen = new Set<number>();
    for (const start of this.#of.keys()) {
      if (seen.has(start)) continue;
      const component = [...this.reachableFrom(start)];
      for (const one of component) seen.add(one);
      found.push(component);
    }
    return found;
  }

  /** The first of the shortest ways, both ends included; empty without any. */
  path(from: number, to: number): number[] {
    const before = new Map([[from, -1]]);
    for (const one of before.keys())
      for (const other of this.of(one)) if (!before.has(other)) before.set(other, one);
    const path: number[] = [];
    for (let node = before.has(to) ? to : -1; node >= 0; node = before.get(node)!) path.unshift(node);
    return path;
  }
}
