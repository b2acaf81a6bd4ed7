/**
 * How many seeded random cases a spec tries. `npm run fuzz` tries more than `npm test`: jest.fuzz.config.js sets
 * the factor, and runs each spec that imports this file.
 */
const FACTOR = Number(process.env.SPEC_ROUNDS ?? 1);

/** @param usual The number of cases in `npm test`, or how many of them must have some outcome. */
export const rounds = (usual: number): number => Math.ceil(usual * FACTOR);
