/** The datastack of a volume: what the info service says about it, and its materializations. */
import { withJointSignal } from '../base/abort.ts';
import { parseOptions } from '../base/option-table.ts';
import { reviveError } from '../base/revive-error.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { VersionSource } from '../chunkedgraph/roots/resolve-timestamp.ts';
import { SIGNAL_OPTIONS } from './reading-options.ts';
import type { DatastackDescription } from './resolve/description.ts';
import type { Materializations } from './resolve/materializations.ts';

/** The datastack that a volume was opened by, as the CAVE info service describes it. */
export interface VolumeDatastack {
  /** Name of the datastack, such as `minnie65_public`. */
  readonly name: string;
  /** Server that described the datastack, `https://HOST[:PORT]`. */
  readonly server: string;
  /** Path of the chunkedgraph, in the spelling of the info service. */
  readonly segmentationSource: string;
  /** Server of the materializations; undefined when the service names none, or one that cannot be used. */
  readonly localServer: string | undefined;
  /**
   * Nanometres per voxel, xyz, of the coordinates that the datastack's viewer shows: the value of
   * `resolution: 'viewer'`. Undefined when the service names none, or one that cannot be used.
   */
  readonly viewerResolution: Vec3 | undefined;
  /** Address of the datastack's viewer; undefined when the service names none. */
  readonly viewerSite?: string;
  /** @internal Why that resolution cannot be used. */
  readonly viewerFault?: Error;
  /**
   * Lists the versions of the materializations that have not expired.
   * @throws GraphError; InfoError; PathError when their server cannot be used; TimestampError when no server
   *   has materializations; `signal.reason`.
   */
  versions(options?: { signal?: AbortSignal }): Promise<number[]>;
  /**
   * Returns the timestamp of a materialization. `'newest'` is looked up in each call.
   * @throws As `versions`; InfoError NOT_FOUND for an unknown version; RangeError for a value that is not a
   *   version.
   */
  timestampOf(version: number | 'newest', options?: { signal?: AbortSignal }): Promise<Date>;
}

/** Creates a volume's `datastack`. @param life Aborts when the volume is closed. */
export function createVolumeDatastack(
  {
    name,
    server,
    segmentationSource,
    localServer,
    viewerResolution,
    viewerSite,
    faults,
  }: DatastackDescription,
  materializations: Materializations,
  life: AbortSignal,
): VolumeDatastack {
  return {
    name,
    server,
    segmentationSource,
    localServer: localServer?.url,
    viewerResolution: viewerResolution ?? undefined,
    ...(viewerSite !== undefined && { viewerSite }),
    ...(faults.viewerResolution && { viewerFault: reviveError(faults.viewerResolution) }),
    versions: async (options = {}) =>
      withJointSignal([parseOptions(options, SIGNAL_OPTIONS).signal, life], (joint) =>
        materializations.list(joint.signal),
      ),
    timestampOf: async (version, options = {}) =>
      withJointSignal([parseOptions(options, SIGNAL_OPTIONS).signal, life], async (joint) =>
        materializations.timestampOf(checkVersion(version), joint.signal),
      ),
  };
}

/** Adapts a datastack for look-ups, which need the timestamps of versions. */
export const toVersionSource = (datastack: VolumeDatastack | undefined): VersionSource | undefined =>
  datastack && { timestampOf: (version, signal) => datastack.timestampOf(version, { signal }) };

function checkVersion(version: number | 'newest'): number | 'newest' {
  if (version !== 'newest' && !(Number.isSafeInteger(version) && version >= 0))
    throw new RangeError(`version must be a whole number from 0, or 'newest', not ${String(version)}`);
  return version;
}
