/** Undirected links between nodes: what is reachable, connected components, shortest paths. */

/** The nodes that can be reached from `start`: `start` first, then nearer ones before farther ones. */
export function reachableFrom(start: number, neighboursOf: (node: number) => Iterable<number>): Set<number> {
  const reached = new Set([start]);
  for (const node of reached) for (const other of neighboursOf(node)) reached.add(other);
  return reached;
}

/** The neighbours of nodes. Each link counts in both directions. */
export class Neighbours {
  readonly #of = new Map<number, number[]>();

  /** Adds a node without links. @returns The node's neighbours. */
  add(node: number): number[] {
    let others = this.#of.get(node);
    if (!others) this.#of.set(node, (others = []));
    return others;
  }

  link(a: number, b: number): void {
    this.add(a).push(b);
    this.add(b).push(a);
  }

  has(node: number): boolean {
    return this.#of.has(node);
  }

  of(node: number): readonly number[] {
    return this.#of.get(node) ?? [];
  }

  reachableFrom(start: number): Set<number> {
    return reachableFrom(start, (node) => this.of(node));
  }

  /** All nodes, by connected component. */
  components(): number[][] {
    const found: number[][] = [];
    const seen = new Set<number>();
    for (const start of this.#of.keys()) {
      if (seen.has(start)) continue;
      const component = [...this.reachableFrom(start)];
      for (const node of component) seen.add(node);
      found.push(component);
    }
    return found;
  }

  /** The first shortest path, including both ends; empty when there is none. */
  path(from: number, to: number): number[] {
    const before = new Map([[from, -1]]);
    for (const node of before.keys())
      for (const other of this.of(node)) if (!before.has(other)) before.set(other, node);
    const path: number[] = [];
    for (let node = before.has(to) ? to : -1; node >= 0; node = before.get(node)!) path.unshift(node);
    return path;
  }
}
