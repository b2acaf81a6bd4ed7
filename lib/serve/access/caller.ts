/** Who sends a request, and what they may ask. */
import type { GrapheneVolume } from '../../graphene/graphene-volume.ts';
import type { ServedVolume } from '../volumes.ts';

/** The sender of one request. `access` sets it before the body is read. */
export interface Caller {
  /** Names the caller in metrics and logs; not a token. */
  readonly label: string;
  /** Whether the caller has shown who they are, by a token or by being on this machine. */
  readonly isKnown: boolean;
  /** Whether the caller may ask for the voxels of a volume: its supervoxels or values. */
  mayReadVoxels(volume: ServedVolume): boolean;
  /** Whether the caller may ask for the roots of a volume; false if it has no graph. */
  mayReadRoots(volume: ServedVolume): boolean;
  /**
   * The graph as the caller sees it: its root requests carry the caller's token. Undefined for a volume without a
   * graph, and if the caller may not ask for roots.
   */
  graphFor(volume: ServedVolume): GrapheneVolume | undefined;
}

/** Someone on this machine, who may ask everything with the service's own tokens. */
export const LOCAL_CALLER: Caller = {
  label: 'local',
  isKnown: true,
  mayReadVoxels: () => true,
  mayReadRoots: ({ opened }) => opened.graph !== undefined,
  graphFor: ({ opened }) => opened.graph,
};
