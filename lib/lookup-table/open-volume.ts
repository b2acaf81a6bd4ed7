/** Opens the volume of a path, whichever kind it is, and resolves the timestamp of its job. */
import { NO_VOXELS } from '../graphene/resolve/watershed.ts';
import { PathError } from '../base/errors.ts';
import type { NameOption } from '../base/option-names.ts';
import { checkTimestampOption } from '../chunkedgraph/roots/resolve-timestamp.ts';
import { parseTimestampOption, type Timestamp } from '../chunkedgraph/ids/timestamp.ts';
import { normalizeCloudPath, isGraphPath } from '../graphene/resolve/cloud-path.ts';
import { timestampOf } from '../graphene/graph-volumes.ts';
import type { GrapheneVolume } from '../graphene/graphene-volume.ts';
import { findVolume, openGraphene, openPrecomputed, type FoundVolume } from '../graphene/open-and-resolve.ts';
import { GRAPHENE_OPTIONS, OPEN_OPTIONS } from '../graphene/opening-options.ts';
import type { OpenGrapheneOptions, OpenOptions } from '../graphene/option-types.ts';
import type { PrecomputedVolume } from '../graphene/precomputed-volume.ts';

/** Returns whether a path names a graph. */
export const isGraphenePath = (path: string): boolean => isGraphPath(normalizeCloudPath(path));

/** An open volume: `graph` for a graphene volume, `plain` for a volume without a graph. */
export type OpenedVolume =
  { graph: GrapheneVolume; plain?: undefined } | { plain: PrecomputedVolume; graph?: undefined };

/** Opens a graphene volume or a Precomputed volume, depending on the path. */
export async function openVolume(
  path: string,
  options: OpenGrapheneOptions,
  nameOf: NameOption,
): Promise<OpenedVolume> {
  // The batches of a table share supervoxels and roots.
  if (isGraphenePath(path)) return { graph: await openGraphene(path, { rootCache: true, ...options }) };
  return { plain: await openPrecomputed(path, withoutGraphOptions(plainOptions(options, nameOf))) };
}

/** Reads what is known of a volume before any chunk is read. */
export const inspectVolume = (
  path: string,
  options: OpenGrapheneOptions,
  nameOf: NameOption,
): Promise<FoundVolume> => findVolume(path, isGraphenePath(path) ? options : plainOptions(options, nameOf));

/** Returns the options for a volume without a graph. @throws TypeError for an option that needs a graph. */
function plainOptions(
  { resolution, server, ocdbt, voxelsAt, ...rest }: OpenGrapheneOptions,
  nameOf: NameOption,
): OpenOptions {
  if (server !== undefined) throw new TypeError(`${nameOf('server')} is for cave:// paths`);
  for (const [name, value] of Object.entries({ ocdbt, voxelsAt }))
    if (value !== undefined) throw new TypeError(`${nameOf(name)} is for graphene:// and cave:// paths`);
  if (resolution === 'viewer') throw new TypeError(`${nameOf('resolution')} viewer is for cave:// paths`);
  return { ...rest, resolution };
}

/** Leaves out what only a graph has: another volume of the same look-up may be one. */
const withoutGraphOptions = (options: OpenOptions): OpenOptions =>
  Object.fromEntries(
    Object.entries(options).filter(
      ([name]) => name in OPEN_OPTIONS || !(name in GRAPHENE_OPTIONS), // a misspelt one is refused
    ),
  );

/**
 * Opens the graph of a path.
 *
 * @param readsVoxels If false, the watershed that the server names is not opened. @default true
 * @throws PathError BAD_PATH.
 */
export async function openGraph(
  path: string,
  options: Omit<OpenGrapheneOptions, 'rootCache'>,
  { readsVoxels = true } = {},
): Promise<GrapheneVolume> {
  if (!isGraphenePath(path))
    throw new PathError('BAD_PATH', `${path} is not a chunkedgraph: expected a graphene:// or cave:// path`);
  return openGraphene(path, { ...options, ...(!readsVoxels && { dataDir: NO_VOXELS }), rootCache: true });
}

/**
 * Resolves the timestamp of a whole job. Returns undefined if the job uses its own now.
 *
 * @param timestamp Undefined for that of the volume.
 * @throws TimestampError; the errors of `volume.datastack.timestampOf`.
 */
export async function resolveJobTimestamp(
  timestamp: Timestamp | undefined,
  volume: GrapheneVolume,
  signal: AbortSignal | undefined,
): Promise<Date | undefined> {
  const option = checkTimestampOption(
    timestamp === undefined ? timestampOf(volume) : parseTimestampOption(timestamp),
    volume.datastack,
  );
  if (typeof option === 'object') return volume.datastack!.timestampOf(option.version, { signal });
  return option === 'settled' ? volume.settled() : option === undefined ? undefined : new Date(option);
}
