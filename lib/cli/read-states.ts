/** Replaces Neuroglancer states among the inputs of a look-up by a table of their points. */
import { parseGraphPath } from '../chunkedgraph/server/graph-path.ts';
import { isStateLink } from '../neuroglancer/state-text.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { CloudOptions, TablePath } from '../table-files/cloud-input.ts';
import { type Io, UsageError } from './io.ts';
import type { Report } from './report.ts';

/** The value of `--format` for Neuroglancer states. */
export const STATE_FORMAT = 'neuroglancer';

/** The flags that matter to states. */
export interface StateFlags {
  points: string[];
  format?: string;
  /** The annotation layer that is read. */
  layer?: string;
  columns?: unknown;
  position?: unknown;
  delimiter?: unknown;
  decimal?: unknown;
  resolution?: unknown;
  /** The address of a CAVE server. */
  server?: unknown;
}

/**
 * Reads the states among the inputs.
 *
 * @param path The cloud path of the main volume: the server of its graph may get the token.
 * @returns undefined if there is none. Else the table of their points, and its unit.
 * @throws UsageError; the errors of `readStateTable`.
 */
export async function readStates(
  path: string,
  flags: StateFlags,
  cloud: CloudOptions,
  { env, signal, stdin }: Pick<Io, 'env' | 'signal' | 'stdin'>,
  report: Report,
): Promise<{ table: TablePath; resolution: Vec3 } | undefined> {
  const { points, format, layer, resolution } = flags,
    isNamed = format === STATE_FORMAT;
  const mayHoldStates = points.some((name) => isStateLink(name) || /\.json$/i.test(name));
  if (!isNamed && (format !== undefined || !mayHoldStates)) return undefined;
  const { readStateTable } = await import('../lookup-table/state-table.ts');
  const isSize = Array.isArray(resolution);
  const states = await readStateTable(points, {
    isNamed,
    layer,
    resolution: isSize ? (resolution as unknown as Vec3) : undefined,
    cloud,
    env: env,
    trusted: await trustedServers(path, flags),
    stdin,
    signal,
    warn: (message) => report.warn(message),
  });
  if (!states) return undefined;
  if (resolution !== undefined && !isSize)
    throw new UsageError(
      'a Neuroglancer state tells its units: leave out --resolution, or give three numbers',
    );
  const unused = (['columns', 'position', 'delimiter', 'decimal'] as const).find(
    (name) => flags[name] !== undefined,
  );
  if (unused !== undefined)
    throw new UsageError(`--${unused} is for tables, and the points are in a Neuroglancer state`);
  return states;
}

/** The servers that the user has named with the volume. */
async function trustedServers(
  path: string,
  { server }: StateFlags,
): Promise<{ origin: string; hostname: string; host: string }[]> {
  const { parseServer } = await import('../cave/cave-server.ts');
  return [
    ...(typeof server === 'string' ? [parseServer(server)] : []),
    ...(path.startsWith('graphene://') ? [parseGraphPath(path)] : []),
  ];
}
