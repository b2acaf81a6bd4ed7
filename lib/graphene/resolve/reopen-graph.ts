/** Resolves a graphene volume from its description, in another thread or on another machine. */
import { isDeepStrictEqual } from 'node:util';
import { InfoError, PathError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { parseServer } from '../../cave/cave-server.ts';
import { parseGraphInfo } from '../../chunkedgraph/ids/graph-info.ts';
import { ChunkedGraphClient } from '../../chunkedgraph/server/chunkedgraph-client.ts';
import { parseGraphPath, type Host } from '../../chunkedgraph/server/graph-path.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { parseInfo } from '../../precomputed/volume-info.ts';
import type { OpenGrapheneOptions } from '../option-types.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import { openGraphVoxels } from './graph-voxels.ts';
import { openBucket } from './open-bucket.ts';
import { NO_VOXELS } from './watershed.ts';
import type { GrapheneDescription } from './description.ts';
import { createTableServer } from './find-table.ts';
import { openMaterializations } from './materializations.ts';
import type { ResolvedGraph } from './resolve-graph.ts';
import { checkStoreExists, mergeStorageOptions } from './storage-credentials.ts';
import { GraphTokens } from './tokens.ts';

/**
 * Resolves a described volume. It requests the table's info again: that gives the server's time, shows
 * whether the server accepts the token, and whether the graph is still the same.
 * @throws GraphError; InfoError CHANGED; CredentialsError NOT_FOUND for a token or credentials that are not
 *   found here; PathError; InfoError; TypeError.
 */
export async function reopenGraph(
  description: GrapheneDescription,
  options: OpenGrapheneOptions,
  http: HttpClient,
  logger: Logger,
): Promise<ResolvedGraph> {
  const { graph: table, bucket, authServer, datastack, info: json } = description,
    warn = (message: string): void => logger.warn(message);
  const storage = mergeStorageOptions(bucket, options.storage);
  if (options.token && !table.token)
    throw new TypeError(
      'token: the volume was resolved without a token, and its server gets none: resolve its path again',
    );
  const tokens = new GraphTokens(
    { token: options.token, authHost: authServer === null ? undefined : parseServer(authServer) },
    warn,
  );
  const path = parseGraphPath(table.path);
  checkHosts(description, path);
  const token = await tokens.findNamed(table.token, path);
  const server = createTableServer({ path, token, allowAddress: table.allowAddress }, http, options, warn);
  const { json: currentInfo } = await new ChunkedGraphClient({ server }).info(options.signal);
  if (!isDeepStrictEqual(meaningOf(currentInfo), meaningOf(json)))
    throw new InfoError(
      'CHANGED',
      `info at ${path.infoUrl} has changed since the volume was resolved: resolve its path again`,
      path.infoUrl,
    );
  const graph = parseGraphInfo(json, path.infoUrl),
    info = parseInfo(json, path.infoUrl),
    keys = { storage, graphToken: token?.token, logger };
  const voxels =
    graph.ocdbt && description.ocdbt !== 'ignore' && bucket.path !== NO_VOXELS
      ? await openGraphVoxels({
          graph,
          info,
          infoUrl: path.infoUrl,
          naming: {
            origin: path.origin,
            allowAddress: bucket.allowAddress,
            bucketHeaders: true,
            hasToken: token !== undefined,
          },
          http,
          keys: { ...keys, storage: storage as StorageOptions },
          voxelsAt: options.voxelsAt,
          signal: options.signal,
        })
      : undefined;
  const store = voxels?.store ?? (await openBucket(bucket, http, keys));
  checkStoreExists(store);
  return {
    description,
    graph,
    info: voxels?.info ?? info,
    server,
    materializations: datastack ? openMaterializations(datastack, tokens, http) : undefined,
    store,
    voxels,
  };
}

/** The parts of a table's info that answers depend on. Others, such as the server's version, may change. */
function meaningOf(info: unknown): unknown[] {
  const fields = (info ?? {}) as Record<string, unknown>,
    app = fields.app as { ocdbt_seg?: unknown } | null | undefined;
  return [...MEANINGFUL.map((name) => fields[name]), app?.ocdbt_seg];
}

const MEANINGFUL = [
  'redirect',
  'graph',
  'scales',
  'data_dir',
  'type',
  'data_type',
  'num_channels',
  'chunks_start_at_voxel_offset',
  'ocdbt_seg',
];

/**
 * Checks that a changed description cannot send a host's token to another host.
 * @throws PathError INSECURE_TOKEN.
 */
function checkHosts({ graph: { token }, bucket }: GrapheneDescription, { origin }: Host): void {
  const own = [...(token ? [token.host] : []), ...(bucket.graphToken ? [bucket.path] : [])];
  if (own.every((place) => URL.canParse(place) && new URL(place).origin === origin)) return;
  throw new PathError(
    'INSECURE_TOKEN',
    `the description of the volume names a token for another host than ${origin}: resolve its path again`,
  );
}
