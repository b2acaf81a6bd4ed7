/** What became of a root look-up, as the status of a point or of an ID. */
import { byStretches, type Paced } from '../base/pacer.ts';
import { RootFate } from '../chunkedgraph/roots/root-source.ts';
import { PointStatus } from '../points/status.ts';

const STATUS_OF_FATE = new Uint8Array(Object.keys(RootFate).length);
Object.assign(STATUS_OF_FATE, {
  [RootFate.ok]: PointStatus.ok,
  [RootFate.noRoot]: PointStatus.noRoot,
  [RootFate.failed]: PointStatus.rootFailed,
  [RootFate.zero]: PointStatus.background,
  [RootFate.notLookedUp]: PointStatus.notLookedUp,
});

/**
 * Statuses of IDs. Zeros are background, also where a deadline came before anything was looked at.
 * @param ids As pairs of words.
 */
export function* statusesOf(fates: Uint8Array, ids: Uint32Array, status: Uint8Array): Paced {
  yield* byStretches(fates.length, (from, end) => {
    for (let i = from; i < end; i++)
      status[i] =
        ids[2 * i] === 0 && ids[2 * i + 1] === 0 ? PointStatus.background : STATUS_OF_FATE[fates[i]];
  });
}

/**
 * Of a point's statuses the first that applies counts: a failed look-up before suspect, suspect before no root. A point without a supervoxel
 * has failed otherwise, or not at all.
 */
export function* applyFates(fates: Uint8Array, status: Uint8Array): Paced {
  yield* byStretches(fates.length, (from, end) => {
    for (let i = from; i < end; i++) {
      if (status[i] === PointStatus.ok) status[i] = STATUS_OF_FATE[fates[i]];
      else if (status[i] === PointStatus.suspect && fates[i] === RootFate.failed)
        status[i] = PointStatus.rootFailed;
    }
  });
}
