import type { Comparison } from './comparison.ts';

/** One part of the run, by name: asks a real client and us the same, and tells the comparison both answers. */
export type Part = (context: { python: string; comparison: Comparison }) => Promise<void>;
