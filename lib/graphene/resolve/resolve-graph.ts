/** From a path to all that is known of a chunkedgraph before a chunk is read, step by step, with every complaint that needs no chunk. */
import type { Logger } from '../../base/logger.ts';
import { reviveError } from '../../base/revive-error.ts';
import { serverOf } from '../../cave/server.ts';
import { parseGraphInfo, type GraphInfo } from '../../chunkedgraph/ids/graph-info.ts';
import { momentOf, type Moment } from '../../chunkedgraph/ids/timestamp.ts';
import { checkMoment, settleVersion } from '../../chunkedgraph/roots/moments.ts';
import type { Host } from '../../chunkedgraph/server/graph-path.ts';
import type { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import type { HttpClient } from '../../http/client.ts';
import { parseInfo, type VolumeInfo } from '../../precomputed/info.ts';
import type { Store } from '../../storage/store.ts';
import { checkOcdbt } from '../ocdbt.ts';
import type { OpenGrapheneOptions } from '../options.ts';
import { resolutionOf } from '../resolution.ts';
import { describedOptions, type DatastackDescription, type GrapheneDescription } from './description.ts';
import { findDatastack } from './find-datastack.ts';
import { findTable, placeOfTable } from './find-table.ts';
import { materializationsOf, type Materializations } from './materializations.ts';
import { chosenMip } from './mip.ts';
import { authHostOf, placeOf, type DatastackPath, type Place } from './place.ts';
import { describedBucket } from './storage-keys.ts';
import { GraphTokens, nameOf } from './tokens.ts';
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
export interface AskedGraph {
  place: Place;
  authHost: Host | undefined;
  moment: Moment;
  options: OpenGrapheneOptions;
}

/**
 * The complaints that need no server.
 * @throws PathError BAD_PATH; TimestampError; InfoError UNSUPPORTED; TypeError.
 */
export function askedGraph(path: string | DatastackPath, options: OpenGrapheneOptions): AskedGraph {
  const place = placeOf(path, options.server),
    authHost = authHostOf(options.authServer),
    moment = momentOf(options.timestamp);
  if (place.graph) {
    checkMoment(moment, undefined);
    resolutionOf(options.resolution, undefined);
  }
  return { place, authHost, moment, options };
}

/** @throws GraphError, InfoError, PathError, TimestampError, RangeError; `signal.reason`. */
export async function resolveGraph(
  { place, authHost, moment, options }: AskedGraph,
  http: HttpClient,
  logger: Logger,
): Promise<ResolvedGraph> {
  const { signal, storage } = options,
    warn = (message: string): void => logger.warn(message);

  // Who knows it, and what that server says.
  const knowing = place.graph ? undefined : await serverOf(place.datastack, place.server, process.env),
    namesTokens = authHost ?? knowing;
  const tokens = new GraphTokens({ token: options.token, authHost: namesTokens }, warn);
  const stack = knowing && (await findDatastack(place.datastack!, knowing, tokens, http, signal));
  const materializations = stack && materializationsOf(stack.datastack, tokens, http);
  const timestamp = await settleVersion(moment, materializations, signal);

  // The table, wherever it is now.
  const asked = stack?.table ?? { path: place.graph!, token: await tokens.of(place.graph!) };
  const { server, allowAddress, json, redirects } = await findTable(asked, http, options, warn);
  const { path, token, address } = server;
  const graph = parseGraphInfo(json, path.infoUrl);
  checkOcdbt(graph, options.ocdbt, path.infoUrl, warn);
  const info = parseInfo(json, path.infoUrl);
  checkWatershed(info, graph.cvMip, options.mip, path.infoUrl);

  // Where its voxels are, and how they are counted.
  const bucket = await findWatershed(graph.dataDir, { path, token, address }, http, { ...options, logger });
  const resolution = resolutionOf(options.resolution, stack && viewerOf(stack.datastack));
  chosenMip(info, options.mip, graph.cvMip);

  const description: GrapheneDescription = {
    version: 1,
    kind: 'graphene',
    path: place.graph ? placeOfTable(place.graph) : `cave://${place.datastack}`,
    redirects,
    info: json as Record<string, unknown>,
    bucket: describedBucket(bucket.place, storage),
    options: describedOptions(options, resolution),
    graph: { path: placeOfTable(path), token: nameOf(path, token), allowAddress: allowAddress ?? 'any' },
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
