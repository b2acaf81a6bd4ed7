/** A volume as a job on a table uses it: its calls warn about their points elsewhere. */
import { GrapheneVolume, timestampOf, type GrapheneParts } from './graphene-volume.ts';
import { partsOf, PrecomputedVolume } from './precomputed-volume.ts';

/**
 * Returns the same volume, with connections and caches of its own volume. What looks wrong about the points of
 * a call goes to `warnOfCall`. Closing either closes both.
 */
export function viewForTable<V extends GrapheneVolume | PrecomputedVolume>(
  volume: V,
  warnOfCall: (message: string) => void,
): V {
  const parts = { ...partsOf(volume), warnOfCall };
  return (
    volume instanceof GrapheneVolume
      ? new GrapheneVolume(parts as GrapheneParts, timestampOf(volume))
      : new PrecomputedVolume(parts)
  ) as V;
}
