/** Seeded random numbers for fuzzing: the same on every run and machine. */
export interface Random {
  /** A whole number n with 0 <= n < `limit`. */
  below(limit: number): number;
  /** An item of the list. */
  pick<T>(items: readonly T[]): T;
}

/** Makes a generator: mulberry32 (Tommy Ettinger, public domain). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return { below, pick: (items) => items[below(items.length)] };
}
