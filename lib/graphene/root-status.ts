/** What became of a root look-up, as the status of a point or of an ID. */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import { RootOutcome } from '../chunkedgraph/roots/root-source.ts';
import { PointStatus } from '../points/status.ts';

const STATUS_OF_FATE = new Uint8Array(Object.keys(RootOutcome).length);
Object.assign(STATUS_OF_FATE, {
  [RootOutcome.ok]: PointStatus.ok,
  [RootOutcome.noRoot]: PointStatus.noRoot,
  [RootOutcome.failed]: PointStatus.rootFailed,
  [RootOutcome.zero]: PointStatus.background,
  [RootOutcome.notLookedUp]: PointStatus.notLookedUp,
});

/**
 * Statuses of IDs. Zeros are background, also where a deadline came before anything was looked at.
 * @param ids As pairs of words.
 */
export function* writeRootStatuses(fates: Uint8Array, ids: Uint32Array, status: Uint8Array): PausableWork {
  yield* inStretches(fates.length, (from, end) => {
    for (let i = from; i < end; i++)
      status[i] =
        ids[2 * i] === 0 && ids[2 * i + 1] === 0 ? PointStatus.background : STATUS_OF_FATE[fates[i]];
  });
}

/**
 * Of a point's statuses the first that applies counts: a failed look-up before suspect, suspect before no root. A point without a supervoxel
 * has failed otherwise, or not at all.
 */
export function* applyRootOutcomes(fates: Uint8Array, status: Uint8Array): PausableWork {
  yield* inStretches(fates.length, (from, end) => {
    for (let i = from; i < end; i++) {
      if (status[i] === PointStatus.ok) status[i] = STATUS_OF_FATE[fates[i]];
      else if (status[i] === PointStatus.suspect && fates[i] === RootOutcome.failed)
        status[i] = PointStatus.rootFailed;
    }
  });
}
