/** What a server says of roots, asked for the root cache: `is_latest_roots` as any look-up is, in batches that adapt; `root_timestamps` through the API. */
import { rootTimestamps } from '../api/root-lifetimes.ts';
import type { Endpoints } from '../api/endpoints.ts';
import { RootOutcome, type RootSource } from '../roots/root-source.ts';
import type { RootHistory } from './root-history.ts';

export const createRootHistory = (source: RootSource, api: Endpoints): RootHistory => ({
  isLatest: async (roots, timestampMs, signal) => {
    const { outcomes: fates } = await source.lookUp(roots, { timestampMs, validate: true, signal });
    return Float64Array.from(fates, (fate) =>
      fate === RootOutcome.ok ? 1 : fate === RootOutcome.noRoot ? 0 : NaN,
    );
  },
  createdMs: (roots, signal) => rootTimestamps(api, roots, { signal }),
});
