/** A volume as a job on a table uses it: its calls warn about their points elsewhere. */
import type { GrapheneVolume } from './graphene-volume.ts';
import { partsOf, type PrecomputedVolume, type VolumeParts } from './precomputed-volume.ts';

/**
 * Returns the same volume, with connections and caches of its own volume. What looks wrong about the points of
 * a call goes to `warnOfCall`. Closing either closes both.
 */
export function viewForTable<V extends GrapheneVolume | PrecomputedVolume>(
  volume: V,
  warnOfCall: (message: string) => void,
): V {
  const Kind = volume.constructor as new (parts: VolumeParts) => V;
  return new Kind({ ...partsOf(volume), warnOfCall });
}
