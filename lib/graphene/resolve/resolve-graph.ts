/**
 * Resolves a path to a chunkedgraph and its watershed: everything that is known, and every error that can be
 * found, before a chunk is read.
 */
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
import type { StorageOptions } from '../../storage/bucket-options.ts';
import { readsSplitVoxels } from '../ocdbt.ts';
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
import { openGraphVoxels, type GraphVoxels } from './graph-voxels.ts';
import { describeBucket } from './storage-credentials.ts';
import { GraphTokens, toTokenName } from './tokens.ts';
import { checkWatershed, findWatershed, namingOf, NO_VOXELS } from './watershed.ts';

/**
 * A description, and the objects that were created to find it. The server object also knows the server's
 * time.
 */
export interface ResolvedGraph {
  description: GrapheneDescription;
  graph: GraphInfo;
  info: VolumeInfo;
  server: GraphServer;
  materializations: Materializations | undefined;
  store: Store;
  /** The voxels of a graph whose supervoxels can split. `store` is the version that was opened. */
  voxels: GraphVoxels | undefined;
}

/** The parsed path and options of a volume. */
export interface ParsedGraphInput {
  parsedPath: ParsedVolumePath;
  authHost: Host | undefined;
  timestampOption: TimestampOption;
  options: OpenGrapheneOptions;
}

/**
 * Parses the path and the options: everything that needs no server.
 * @throws PathError BAD_PATH; TimestampError; InfoError UNSUPPORTED; TypeError.
 */
export function parseGraphInput(
  path: string | DatastackPath,
  options: OpenGrapheneOptions,
): ParsedGraphInput {
  const parsedPath = parseVolumePath(path, options.server),
    authHost = parseAuthServer(options.authServer),
    timestampOption = parseTimestampOption(options.timestamp);
  if (parsedPath.graph) {
    checkTimestampOption(timestampOption, undefined);
    resolveResolution(options.resolution, undefined);
  }
  return { parsedPath, authHost, timestampOption, options };
}

/**
 * Resolves the volume.
 * @throws GraphError, InfoError, PathError, TimestampError, RangeError; `signal.reason`.
 */
export async function resolveGraph(
  { parsedPath, authHost, timestampOption, options }: ParsedGraphInput,
  http: HttpClient,
  logger: Logger,
): Promise<ResolvedGraph> {
  const { signal, storage } = options,
    warn = (message: string): void => logger.warn(message);

  // The datastack, if the path names one.
  const infoService = parsedPath.graph
      ? undefined
      : await findServer(parsedPath.datastack, parsedPath.server, process.env),
    authServer = authHost ?? infoService;
  const tokens = new GraphTokens({ token: options.token, authHost: authServer }, warn);
  const datastack =
    infoService && (await findDatastack(parsedPath.datastack!, infoService, tokens, http, signal));
  const materializations = datastack && openMaterializations(datastack.datastack, tokens, http);
  const timestamp = await resolveVersion(timestampOption, materializations, signal);

  // The table, after all redirects.
  const target = datastack?.table ?? { path: parsedPath.graph!, token: await tokens.find(parsedPath.graph!) };
  const { server, allowAddress, json, redirects } = await findTable(target, http, options, warn);
  const { path, token, address } = server;
  const graph = parseGraphInfo(json, path.infoUrl);
  const canRead = options.dataDir !== NO_VOXELS,
    readsSplit = canRead && readsSplitVoxels(graph, options, path.infoUrl, warn);
  const info = parseInfo(json, path.infoUrl);
  checkWatershed(info, graph.cvMip, options.mip, path.infoUrl);

  // The bucket of the watershed, and the unit of coordinates.
  const voxels = readsSplit
    ? await openGraphVoxels({
        graph,
        info,
        infoUrl: path.infoUrl,
        naming: namingOf({ path, token, address }),
        http,
        keys: { storage: storage as StorageOptions | undefined, graphToken: token?.token, logger },
        voxelsAt: options.voxelsAt,
        signal,
      })
    : undefined;
  const bucket =
    voxels ?? (await findWatershed(graph.dataDir, { path, token, address }, http, { ...options, logger }));
  const resolution = resolveResolution(options.resolution, datastack && toViewer(datastack.datastack));
  chooseMip(info, options.mip, graph.cvMip);

  const description: GrapheneDescription = {
    version: 1,
    kind: 'graphene',
    path: parsedPath.graph ? formatTablePath(parsedPath.graph) : `cave://${parsedPath.datastack}`,
    redirects,
    info: json as Record<string, unknown>,
    bucket: describeBucket(bucket.location, storage),
    options: pickDescribedOptions(options, resolution),
    graph: {
      path: formatTablePath(path),
      token: toTokenName(path, token),
      allowAddress: allowAddress ?? 'any',
    },
    authServer: authServer?.origin ?? null,
    ...(graph.ocdbt && canRead && !readsSplit && { ocdbt: 'ignore' }),
    datastack: datastack
      ? {
          ...datastack.datastack,
          version: typeof timestampOption === 'object' ? timestampOption.version : null,
        }
      : null,
    timestamp: timestamp ?? null,
  };
  const { store } = bucket;
  return { description, graph, info: voxels?.info ?? info, server, materializations, store, voxels };
}

/** The datastack's viewer resolution, as `resolveResolution` takes it. */
const toViewer = ({ name, viewerResolution, faults }: DatastackDescription) => ({
  name,
  viewerResolution: viewerResolution ?? undefined,
  viewerFault: faults.viewerResolution && reviveError(faults.viewerResolution),
});
