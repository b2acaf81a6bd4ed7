import type { Comparison } from './comparison.ts';

/**
 * One part of the run: makes the same calls to a real client and to graphene-points, and compares the
 * answers.
 */
export type Part = (context: { python: string; comparison: Comparison }) => Promise<void>;
