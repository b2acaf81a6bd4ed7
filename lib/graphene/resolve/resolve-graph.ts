/** From a path to all that is known of a chunkedgraph before a chunk is read, step by step, with every complaint that needs no chunk. */
import type { Logger } from '../../base/logger.ts';
import { reviveError } from '../../base/revive-error.ts';
import { findServer } from '../../cave/cave-server.ts';
import { parseGraphInfo, type GraphInfo } from '../../chunkedgraph/ids/graph-info.ts';
import { parseTimestampOption, type TimestampOption } from '../../chunkedgraph/ids/timestamp.ts';
import { checkTimestampOption, resolveVersion } from '../../chunkedgraph/roots/resolve-timestamp.ts';
import type { Host } from '../../chunkedgraph/server/graph-path.ts';
import type { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { parseInfo, type VolumeInfo } from '../../precomputed/volume-info.ts';
import type { Store } from '../../storage/store.ts';
import { checkOcdbt } from '../ocdbt.ts';
import type { OpenGrapheneOptions } from '../option-types.ts';
import { resolveResolution } from '../resolution.ts';
import { pickDescribedOptions, type DatastackDescription, type GrapheneDescription } from './description.ts';
import { findDatastack } from './find-datastack.ts';
import { findTable, formatTablePath } from './find-table.ts';
import { openMaterializations, type Materializations } from './materializations.ts';
import { chooseMip } from './mip.ts';
import {
  parseAuthServer,
  parseVolumePath,
  type DatastackPath,
  type ParsedVolumePath,
} from './volume-path.ts';
import { describeBucket } from './storage-credentials.ts';
import { GraphTokens, toTokenName } from './tokens.ts';
import { checkWatershed, findWatershed } from './watershed.ts';

/** A description, and what was made on the way to it: servers that have answered know more than it says, what time it is above all. */
export interface ResolvedGraph {
  description: GrapheneDescription;
  graph: GraphInfo;
  info: VolumeInfo;
  server: GraphServer;
  materializations: Materializations | undefined;
  store: Store;
}

/** What is asked for. */
export interface ParsedGraphInput {
  parsedPath: ParsedVolumePath;
  authHost: Host | undefined;
  moment: TimestampOption;
  options: OpenGrapheneOptions;
}

/**
 * The complaints that need no server.
 * @throws PathError BAD_PATH; TimestampError; InfoError UNSUPPORTED; TypeError.
 */
export function parseGraphInput(
  path: string | DatastackPath,
  options: OpenGrapheneOptions,
): ParsedGraphInput {
  const place = parseVolumePath(path, options.server),
    authHost = parseAuthServer(options.authServer),
    moment = parseTimestampOption(options.timestamp);
  if (place.graph) {
    checkTimestampOption(moment, undefined);
    resolveResolution(options.resolution, undefined);
  }
  return { parsedPath: place, authHost, moment, options };
}

/** @throws GraphError, InfoError, PathError, TimestampError, RangeError; `signal.reason`. */
export async function resolveGraph(
  { parsedPath: place, authHost, moment, options }: ParsedGraphInput,
  http: HttpClient,
  logger: Logger,
): Promise<ResolvedGraph> {
  const { signal, storage } = options,
    warn = (message: string): void => logger.warn(message);

  // Who knows it, and what that server says.
  const knowing = place.graph ? undefined : await findServer(place.datastack, place.server, process.env),
    namesTokens = authHost ?? knowing;
  const tokens = new GraphTokens({ token: options.token, authHost: namesTokens }, warn);
  const stack = knowing && (await findDatastack(place.datastack!, knowing, tokens, http, signal));
  const materializations = stack && openMaterializations(stack.datastack, tokens, http);
  const timestamp = await resolveVersion(moment, materializations, signal);

  // The table, wherever it is now.
  const asked = stack?.table ?? { path: place.graph!, token: await tokens.find(place.graph!) };
  const { server, allowAddress, json, redirects } = await findTable(asked, http, options, warn);
  const { path, token, address } = server;
  const graph = parseGraphInfo(json, path.infoUrl);
  checkOcdbt(graph, options.ocdbt, path.infoUrl, warn);
  const info = parseInfo(json, path.infoUrl);
  checkWatershed(info, graph.cvMip, options.mip, path.infoUrl);

  // Where its voxels are, and how they are counted.
  const bucket = await findWatershed(graph.dataDir, { path, token, address }, http, { ...options, logger });
  const resolution = resolveResolution(options.resolution, stack && viewerOf(stack.datastack));
  chooseMip(info, options.mip, graph.cvMip);

  const description: GrapheneDescription = {
    version: 1,
    kind: 'graphene',
    path: place.graph ? formatTablePath(place.graph) : `cave://${place.datastack}`,
    redirects,
    info: json as Record<string, unknown>,
    bucket: describeBucket(bucket.location, storage),
    options: pickDescribedOptions(options, resolution),
    graph: {
      path: formatTablePath(path),
      token: toTokenName(path, token),
      allowAddress: allowAddress ?? 'any',
    },
    authServer: namesTokens?.origin ?? null,
    datastack: stack
      ? { ...stack.datastack, version: typeof moment === 'object' ? moment.version : null }
      : null,
    timestamp: timestamp ?? null,
  };
  return { description, graph, info, server, materializations, store: bucket.store };
}

/** What `resolution: 'viewer'` stands for. */
const viewerOf = ({ name, viewerResolution, faults }: DatastackDescription) => ({
  name,
  viewerResolution: viewerResolution ?? undefined,
  viewerFault: faults.viewerResolution && reviveError(faults.viewerResolution),
});
