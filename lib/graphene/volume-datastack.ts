/** A volume's datastack: what its server said of it, and its materializations. */
import { withJointSignal } from '../base/abort.ts';
import { parseOptions } from '../base/option-table.ts';
import { reviveError } from '../base/revive-error.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { VersionSource } from '../chunkedgraph/roots/resolve-timestamp.ts';
import { SIGNAL_OPTIONS } from './reading-options.ts';
import type { DatastackDescription } from './resolve/description.ts';
import type { Materializations } from './resolve/materializations.ts';

/** What the info service says of a volume's datastack. */
export interface VolumeDatastack {
  readonly name: string;
  /** The server asked, `https://HOST[:PORT]`. */
  readonly server: string;
  /** The chunkedgraph, as the service words it. */
  readonly segmentationSource: string;
  /** Where its materializations are; undefined where the service does not say, or names what cannot be used. */
  readonly localServer: string | undefined;
  /**
   * Nanometres per voxel of the coordinates that its viewer shows: what `resolution: 'viewer'` stands for. Undefined where the service does not
   * say, or says what is not a resolution.
   */
  readonly viewerResolution: Vec3 | undefined;
  /** @internal Why that resolution cannot be used. */
  readonly viewerFault?: Error;
  /**
   * Materializations that have not expired.
   * @throws GraphError, InfoError; PathError for a server of theirs that cannot be used; TimestampError when there is none; `signal.reason`.
   */
  versions(options?: { signal?: AbortSignal }): Promise<number[]>;
  /** When one was frozen; the newest is looked for each time. @throws as `versions`; InfoError NOT_FOUND. */
  timestampOf(version: number | 'newest', options?: { signal?: AbortSignal }): Promise<Date>;
}

/** @param life Aborts when the volume is closed. */
export function createVolumeDatastack(
  { name, server, segmentationSource, localServer, viewerResolution, faults }: DatastackDescription,
  materializations: Materializations,
  life: AbortSignal,
): VolumeDatastack {
  return {
    name,
    server,
    segmentationSource,
    localServer: localServer?.url,
    viewerResolution: viewerResolution ?? undefined,
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

/** The same for whoever takes timestamps. */
export const toVersionSource = (datastack: VolumeDatastack | undefined): VersionSource | undefined =>
  datastack && { timestampOf: (version, signal) => datastack.timestampOf(version, { signal }) };

function checkVersion(version: number | 'newest'): number | 'newest' {
  if (version !== 'newest' && !(Number.isSafeInteger(version) && version >= 0))
    throw new RangeError(`a version is a whole number from 0, or 'newest', not ${String(version)}`);
  return version;
}
