/** A datastack as a volume is opened by it: where its graph is, which token each of its servers gets, and what it knows besides. */
import { joined } from '../base/abort.ts';
import { PathError, TimestampError } from '../base/errors.ts';
import { takeOptions } from '../base/options.ts';
import { withoutSecrets } from '../base/secrets.ts';
import type { Vec3 } from '../base/vec3.ts';
import { parseDatastack, readDatastack, type Told } from '../cave/datastack.ts';
import { addressesOf, parseServer, serverOf, urlOf } from '../cave/server.ts';
import { Versions } from '../cave/versions.ts';
import { parseGraphPath, type GraphPath, type Host } from '../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import type { VersionSource } from '../chunkedgraph/roots/moments.ts';
import { findToken, type FoundToken } from '../chunkedgraph/server/token.ts';
import type { AllowAddress, HttpClient } from '../http/client.ts';
import { SIGNAL_OPTIONS } from './option-tables.ts';
import { cloudPath } from './resolve/cloud-path.ts';

/** A datastack by its name; `openGraphene('cave://NAME', { server })` is the same. */
export interface DatastackPath {
  datastack: string;
  /** That knows it, `https://HOST[:PORT]`. @default the one CAVEclient remembers for it, else https://global.daf-apis.com */
  server?: string;
}

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

/** What a path names: a table of a chunkedgraph, or a datastack that says which. */
export type Place =
  | { graph: GraphPath; datastack?: undefined; server?: undefined }
  | { datastack: string; server: string | undefined; graph?: undefined };

/** @throws PathError BAD_PATH; TypeError for a server that is not asked, or named twice. */
export function placeOf(path: string | DatastackPath, server: string | undefined): Place {
  if (typeof path === 'string') {
    const place = cloudPath(path);
    if (place.startsWith('cave://')) return { datastack: parseDatastack(place), server };
    if (server !== undefined)
      throw new TypeError('server is where a cave:// path is looked up; this path names its own');
    return { graph: parseGraphPath(place) };
  }
  if (typeof path !== 'object' || path === null || typeof path.datastack !== 'string')
    throw new PathError('BAD_PATH', 'a volume is opened by its path, or as { datastack, server }');
  if (path.server !== undefined && server !== undefined) throw new TypeError('server is named twice');
  return { datastack: parseDatastack(`cave://${path.datastack}`), server: path.server ?? server };
}

export interface DatastackSearch {
  server: string | undefined;
  token?: string | null;
  /** As the user names it. @default the server that knows the datastack */
  authHost?: Host;
  env?: NodeJS.ProcessEnv;
  signal?: AbortSignal;
}

export interface OpenedDatastack {
  server: Host;
  graph: GraphPath;
  /** Addresses that the graph's host may have. */
  allowAddress: AllowAddress;
  token: FoundToken | undefined;
  segmentationSource: string;
  localServer: string | undefined;
  viewerResolution: Told<Vec3>;
  versions: Pick<Versions, 'list' | 'momentOf'>;
}

/**
 * Asks the info service, with the token that its host would get.
 * @throws as `readDatastack` and `findToken`.
 */
export async function openDatastack(
  name: string,
  { server: given, token, authHost, env = process.env, signal }: DatastackSearch,
  http: HttpClient,
  warn: (message: string) => void,
): Promise<OpenedDatastack> {
  const server = await serverOf(name, given, env);
  const tokens = new Map<string, Promise<FoundToken | undefined>>(); // each searched once, so that each warning comes once
  const tokenOf = (host: Host): Promise<FoundToken | undefined> => {
    const found =
      tokens.get(host.origin) ?? findToken(host, { token, env, authHost: authHost ?? server }, warn);
    tokens.set(host.origin, found);
    return found;
  };
  const info = new GraphServer<Host>({ http, path: server, token: await tokenOf(server) });
  const { segmentationSource, graphHost, localServer, viewerResolution } = await readDatastack(
    info,
    name,
    signal,
  );
  const local = async (): Promise<Versions> => {
    if (localServer.fault) throw localServer.fault;
    const { value: path } = localServer;
    if (!path) throw new TimestampError(`datastack ${name} names no server that has materializations`);
    return new Versions(
      new GraphServer<Host>({
        http,
        path,
        token: await tokenOf(path),
        allowAddress: addressesOf(path, info),
      }),
      name,
    );
  };
  return {
    server,
    segmentationSource,
    viewerResolution,
    graph: parseGraphPath(segmentationSource),
    allowAddress: addressesOf(graphHost, info),
    token: await tokenOf(graphHost),
    localServer: localServer.value && urlOf(localServer.value, ''),
    versions: openedWhenUsed(local),
  };
}

/** What concerns materializations alone, their server and the token for it, is only looked for by those who want some. */
function openedWhenUsed(open: () => Promise<Versions>): OpenedDatastack['versions'] {
  let opened: Promise<Versions> | undefined;
  const versions = (): Promise<Versions> =>
    (opened ??= open().catch((error: unknown) => {
      opened = undefined; // whoever asks next tries again
      throw error;
    }));
  return {
    list: async (signal) => (await versions()).list(signal),
    momentOf: async (version, signal) => (await versions()).momentOf(version, signal),
  };
}

/** @param life Aborts when the volume is closed. */
export function datastackOf(
  name: string,
  { server, segmentationSource, localServer, viewerResolution, versions }: OpenedDatastack,
  life: AbortSignal,
): VolumeDatastack {
  return {
    name,
    localServer,
    segmentationSource: withoutSecrets(segmentationSource),
    server: urlOf(server, ''),
    viewerResolution: viewerResolution.value,
    ...(viewerResolution.fault && { viewerFault: viewerResolution.fault }),
    versions: async (options = {}) =>
      joined([takeOptions(options, SIGNAL_OPTIONS).signal, life], (joint) => versions.list(joint.signal)),
    timestampOf: async (version, options = {}) =>
      joined([takeOptions(options, SIGNAL_OPTIONS).signal, life], async (joint) =>
        versions.momentOf(checkVersion(version), joint.signal),
      ),
  };
}

/** The same for whoever takes timestamps. */
export const versionsOf = (datastack: VolumeDatastack | undefined): VersionSource | undefined =>
  datastack && { momentOf: (version, signal) => datastack.timestampOf(version, { signal }) };

function checkVersion(version: number | 'newest'): number | 'newest' {
  if (version !== 'newest' && !(Number.isSafeInteger(version) && version >= 0))
    throw new RangeError(`a version is a whole number from 0, or 'newest', not ${String(version)}`);
  return version;
}

/** The server whose token file comes after that of the host asked. @throws PathError BAD_PATH. */
export const authHostOf = (authServer: string | undefined): Host | undefined =>
  authServer === undefined ? undefined : parseServer(authServer);
