/** Which roots became which, through which operation. */
export interface RootReplacement {
  timeMs: number;
  /** 0 when the edit has no entry in an operation log. */
  operation: number;
  from: readonly number[];
  to: readonly number[];
}

export class Lineage {
  readonly #madeBy = new Map<number, RootReplacement>();
  readonly #replacedBy = new Map<number, RootReplacement>();

  record(succession: RootReplacement): void {
    for (const root of succession.to) this.#madeBy.set(root, succession);
    for (const root of succession.from) this.#replacedBy.set(root, succession);
  }

  /** What made this root; undefined for one of the base. */
  madeBy(root: number): RootReplacement | undefined {
    return this.#madeBy.get(root);
  }

  /** What took this root's place; undefined while it stands. */
  replacedBy(root: number): RootReplacement | undefined {
    return this.#replacedBy.get(root);
  }

  /** Infinity for a root that stands. */
  replacedMs(root: number): number {
    return this.#replacedBy.get(root)?.timeMs ?? Infinity;
  }
}
