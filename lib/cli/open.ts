/** A path from the command line to an open volume. */
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import { openGraphene, openPrecomputed } from '../graphene/open.ts';
import type { OpenOptions } from '../graphene/options.ts';
import type { PrecomputedVolume } from '../graphene/precomputed-volume.ts';

export const isGraphene = (path: string): boolean => path.startsWith('graphene://');

export type Opened = { graph: GrapheneVolume; plain?: undefined } | { plain: PrecomputedVolume; graph?: undefined };

export async function openVolume(path: string, options: OpenOptions & { dataDir?: string }): Promise<Opened> {
  return isGraphene(path) ? { graph: await openGraphene(path, options) } : { plain: await openPrecomputed(path, options) };
}
