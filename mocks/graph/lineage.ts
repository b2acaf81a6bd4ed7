/** Records which roots each edit replaced. */

/** One edit: the roots that it replaced and the roots that it made. */
export interface RootReplacement {
  timeMs: number;
  /** Operation ID; 0 when the edit has no entry in an operation log. */
  operation: number;
  from: readonly number[];
  to: readonly number[];
}

/** All replacements of roots so far. */
export class Lineage {
  readonly #madeBy = new Map<number, RootReplacement>();
  readonly #replacedBy = new Map<number, RootReplacement>();

  record(replacement: RootReplacement): void {
    for (const root of replacement.to) this.#madeBy.set(root, replacement);
    for (const root of replacement.from) this.#replacedBy.set(root, replacement);
  }

  /** The edit that made a root; undefined for a root at base. */
  madeBy(root: number): RootReplacement | undefined {
    return this.#madeBy.get(root);
  }

  /** The edit that replaced a root; undefined for a latest root. */
  replacedBy(root: number): RootReplacement | undefined {
    return this.#replacedBy.get(root);
  }

  /** When a root was replaced; Infinity for a latest root. */
  replacedMs(root: number): number {
    return this.#replacedBy.get(root)?.timeMs ?? Infinity;
  }
}
