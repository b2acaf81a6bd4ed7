/**
 * Sends the root cache's requests about roots. `is_latest_roots` goes through the root look-up, with its
 * adaptive batches; `root_timestamps` goes through the API.
 */
import { rootTimestamps } from '../api/root-lifetimes.ts';
import type { Endpoints } from '../api/endpoints.ts';
import { RootOutcome, type RootSource } from '../roots/root-source.ts';
import type { RootHistory } from './root-history.ts';

/** Returns the requests about roots that a root cache needs. */
export const createRootHistory = (source: RootSource, api: Endpoints): RootHistory => ({
  isLatest: async (roots, timestampMs, signal) => {
    const { outcomes } = await source.lookUp(roots, { timestampMs, validate: true, signal });
    return Float64Array.from(outcomes, (outcome) =>
      outcome === RootOutcome.ok ? 1 : outcome === RootOutcome.noRoot ? 0 : NaN,
    );
  },
  createdMs: (roots, signal) => rootTimestamps(api, roots, { signal }),
});
