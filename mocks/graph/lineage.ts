/** Which roots became which, through which operation. */
export interface Succession {
  timeMs: number;
  /** 0 when the edit has no entry in an operation log. */
  operation: number;
  from: readonly number[];
  to: readonly number[];
}

export class Lineage {
  readonly #madeBy = new Map<number, Succession>();
  readonly #replacedBy = new Map<number, Succession>();

  record(succession: Succession): void {
    for (const root of succession.to) this.#madeBy.set(root, succession);
    for (const root of succession.from) this.#replacedBy.set(root, succession);
  }

  /** What made this root; undefined for one of the base. */
  madeBy(root: number): Succession | undefined {
    return this.#madeBy.get(root);
  }

  /** What took this root's place; undefined while it stands. */
  replacedBy(root: number): Succession | undefined {
    return this.#replacedBy.get(root);
  }

  /** Infinity for a root that stands. */
  replacedMs(root: number): number {
    return this.#replacedBy.get(root)?.timeMs ?? Infinity;
  }
}
