/** Counts rows by root and by status. */
import type { Answers } from './answers.ts';

export interface RootCount {
  /** The number of the root in `answers.roots`. */
  readonly root: number;
  readonly rows: number;
}

/** Returns the roots with the most rows first. Roots of equal count keep the order in which they came. */
export function countRoots({ root, roots }: Answers): RootCount[] {
  const counts = new Uint32Array(roots.texts.length);
  for (const index of root) counts[index]++;
  return Array.from(counts, (rows, index) => ({ root: index, rows }))
    .slice(1)
    .filter(({ rows }) => rows > 0)
    .sort((a, b) => b.rows - a.rows);
}

/** Returns how many rows have each status code, 0 (waiting) included. */
export function countStatuses({ status }: Answers): Map<number, number> {
  const counts = new Uint32Array(256);
  for (const code of status) counts[code]++;
  return new Map([...counts.entries()].filter(([, rows]) => rows > 0));
}
