/** Converts the outcomes of a root look-up to the statuses of points and IDs. */
import { inStretches, type PausableWork } from '../base/cooperative-work.ts';
import { RootOutcome } from '../chunkedgraph/roots/root-source.ts';
import { PointStatus } from '../points/status.ts';

const STATUS_OF_OUTCOME = new Uint8Array(Object.keys(RootOutcome).length);
Object.assign(STATUS_OF_OUTCOME, {
  [RootOutcome.ok]: PointStatus.ok,
  [RootOutcome.noRoot]: PointStatus.noRoot,
  [RootOutcome.failed]: PointStatus.rootFailed,
  [RootOutcome.zero]: PointStatus.background,
  [RootOutcome.notLookedUp]: PointStatus.notLookedUp,
  [RootOutcome.stale]: PointStatus.staleSupervoxel,
});

/**
 * Writes the statuses of IDs. The ID 0 is background, even when a deadline came before it was looked at.
 * @param ids The IDs as uint32 pairs, low word first.
 */
export function* writeRootStatuses(outcomes: Uint8Array, ids: Uint32Array, status: Uint8Array): PausableWork {
  yield* inStretches(outcomes.length, (from, end) => {
    for (let i = from; i < end; i++)
      status[i] =
        ids[2 * i] === 0 && ids[2 * i + 1] === 0 ? PointStatus.background : STATUS_OF_OUTCOME[outcomes[i]];
  });
}

/**
 * Updates the statuses of points. A failed look-up and a stale supervoxel replace `suspect`, and `suspect`
 * hides a missing root.
 * Points without a supervoxel keep their status.
 */
export function* applyRootOutcomes(outcomes: Uint8Array, status: Uint8Array): PausableWork {
  yield* inStretches(outcomes.length, (from, end) => {
    for (let i = from; i < end; i++) {
      if (status[i] === PointStatus.ok) status[i] = STATUS_OF_OUTCOME[outcomes[i]];
      else if (
        status[i] === PointStatus.suspect &&
        (outcomes[i] === RootOutcome.failed || outcomes[i] === RootOutcome.stale)
      )
        status[i] = STATUS_OF_OUTCOME[outcomes[i]];
    }
  });
}
