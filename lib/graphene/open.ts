/** From a path to a volume that answers. */
import { leaveOnAbort } from '../base/abort.ts';
import { within } from '../base/deadline.ts';
import { PathError } from '../base/errors.ts';
import { takeOptions } from '../base/options.ts';
import type { Vec3 } from '../base/vec3.ts';
import type { Logger } from '../base/logger.ts';
import { Endpoints } from '../chunkedgraph/api/endpoints.ts';
import { parseGraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import { Instants } from '../chunkedgraph/roots/instants.ts';
import { RootBatcher } from '../chunkedgraph/roots/root-batcher.ts';
import { serverHistory } from '../chunkedgraph/root-cache/server-history.ts';
import { checkMoment, settleVersion } from '../chunkedgraph/roots/moments.ts';
import { momentOf } from '../chunkedgraph/ids/timestamp.ts';
import { findToken } from '../chunkedgraph/server/token.ts';
import { createHttpClient, prepareBodies, type HttpClient } from '../http/client.ts';
import { safeText, withoutSecretsIn } from '../base/secrets.ts';
import { redactUrl } from '../http/excerpt.ts';
import { PointReader } from '../points/point-reader.ts';
import { parseInfo, scaleAt, type VolumeInfo } from '../precomputed/info.ts';
import type { Store } from '../storage/store.ts';
import { chunkCacheOf } from './chunk-cache.ts';
import { cloudPath, isGraphPath } from './resolve/cloud-path.ts';
import { authHostOf, datastackOf, openDatastack, placeOf, type DatastackPath } from './datastack.ts';
import { findGraph } from './resolve/graph-table.ts';
import { GrapheneVolume } from './graphene-volume.ts';
import { checkOcdbt } from './ocdbt.ts';
import { GRAPHENE_OPTIONS, OPEN_OPTIONS } from './option-tables.ts';
import type { OpenGrapheneOptions, OpenOptions } from './options.ts';
import { resolutionOf } from './resolution.ts';
import { PrecomputedVolume, type VolumeParts } from './precomputed-volume.ts';
import { openRootCache } from './root-cache.ts';
import { findInfo } from './resolve/volume-info.ts';
import { checkWatershed, watershedStore } from './resolve/watershed.ts';

const CONSOLE: Logger = { warn: (message) => console.warn(`graphene-points: ${message}`) };
const loggerOf = ({ logger = CONSOLE }: { logger?: Logger }): Logger => ({
  warn: (message) => logger.warn(safeText(message)),
});

/**
 * Opens a Precomputed volume: reads its info, and those that it redirects to, and nothing else.
 *
 * @param path `file://` or a plain path, `http(s)://`, `gs://`, `s3://`, `mem://`; a leading `precomputed://`, or Neuroglancer's
 *   `|neuroglancer-precomputed:` at its end, is optional.
 * @throws PathError, InfoError (NOT_FOUND, BAD_INFO, UNSUPPORTED), RequestError; RangeError or TypeError for an impossible option.
 */
export async function openPrecomputed(path: string, given: OpenOptions = {}): Promise<PrecomputedVolume> {
  const place = cloudPath(path);
  if (isGraphPath(place))
    throw new PathError('BAD_PATH', `${redactUrl(place)} is a chunkedgraph: use openGraphene`);
  const options = takeOptions(given, OPEN_OPTIONS);
  resolutionOf(options.resolution, undefined);
  return withHttp(options, async (http) => {
    const { store, raw, redirects } = await findInfo(place, http, { ...options, logger: loggerOf(options) });
    return new PrecomputedVolume(
      partsOf({
        raw,
        info: parseInfo(raw, `${store.url}/info`),
        store,
        infoWasRead: true,
        mip: 0,
        redirects,
        http,
        options,
      }),
    );
  });
}

/**
 * Opens a chunkedgraph and its watershed: reads the graph's info and nothing else; of a datastack, what its server says of it before.
 *
 * @param path `graphene://[middleauth+]https://HOST[:PORT]/segmentation/table/NAME`, or one of the older spellings; `cave://DATASTACK`, or
 *   the same as `{ datastack, server }`.
 * @throws PathError (BAD_PATH; INSECURE_TOKEN; FORBIDDEN_ADDRESS when a server names a place it must not), InfoError, GraphError;
 *   TimestampError; SnapshotError for `rootCache.file`; RangeError or TypeError for an impossible option.
 */
export async function openGraphene(
  path: string | DatastackPath,
  given: OpenGrapheneOptions = {},
): Promise<GrapheneVolume> {
  const options = takeOptions(given, GRAPHENE_OPTIONS);
  const place = placeOf(path, options.server),
    authHost = authHostOf(options.authServer);
  const wanted = momentOf(options.timestamp);
  if (place.graph) {
    checkMoment(wanted, undefined);
    resolutionOf(options.resolution, undefined);
  }
  const logger = loggerOf(options);
  const warn = (message: string): void => logger.warn(message);
  return withHttp(options, async (http) => {
    // While the servers are asked. A package that cannot be loaded now is tried again with the first look-up.
    const prepared = Promise.allSettled([prepareBodies()]);
    const stack = place.graph
      ? undefined
      : await openDatastack(
          place.datastack,
          { server: place.server, token: options.token, authHost, signal: options.signal },
          http,
          warn,
        );
    const moment = await settleVersion(wanted, stack?.versions, options.signal);
    const asked = stack?.graph ?? place.graph!;
    const askedToken = stack ? stack.token : await findToken(asked, { token: options.token, authHost }, warn);
    const { server, client, json, redirects } = await findGraph(
      { path: asked, token: askedToken, allowAddress: stack?.allowAddress },
      http,
      options,
      warn,
    );
    const { path: graphPath, token, clock } = server,
      serverAddress = server.address;
    const graph = parseGraphInfo(json, graphPath.infoUrl);
    checkOcdbt(graph, options.ocdbt, graphPath.infoUrl, warn);
    const info = parseInfo(json, graphPath.infoUrl);
    checkWatershed(info, graph.cvMip, options.mip, graphPath.infoUrl);
    const store = await watershedStore(
      graph.dataDir,
      { path: graphPath, token, address: serverAddress },
      http,
      { ...options, logger },
    );
    const instants = new Instants(clock, { settleMs: options.settleMs, windowMs: options.batchWindowMs });
    const roots = new RootBatcher({
      client,
      ids: graph.ids,
      nLayers: graph.nLayers,
      host: graphPath.host,
      instants,
      warn,
      batchSize: options.rootBatchSize,
      batchBytes: options.rootBatchBytes,
      concurrency: options.rootConcurrency,
      windowMs: options.batchWindowMs,
      retries: options.retries,
    });
    const resolution = resolutionOf(
      options.resolution,
      stack && {
        name: place.datastack!,
        viewerResolution: stack.viewerResolution.value,
        viewerFault: stack.viewerResolution.fault,
      },
    );
    const parts = partsOf({
      raw: json as Record<string, unknown>,
      info,
      store,
      infoWasRead: false,
      mip: graph.cvMip,
      redirects,
      http,
      options: { ...options, resolution },
    });
    const datastack = stack && datastackOf(place.datastack!, stack, parts.life.signal);
    const api = new Endpoints({
      server,
      life: parts.life.signal,
      concurrency: options.rootConcurrency,
      timeoutMs: options.rootTimeoutMs,
      retries: options.retries,
    });
    const caching = options.rootCache === true ? {} : options.rootCache || undefined;
    const rootCache =
      caching &&
      (await openRootCache(
        caching,
        {
          source: roots,
          history: serverHistory(roots, api),
          graph: graphPath.tableUrl,
          ids: graph.ids,
          nLayers: graph.nLayers,
          instants,
        },
        logger,
        options.cacheDir,
      ));
    await prepared;
    return new GrapheneVolume(
      {
        ...parts,
        graph,
        path: graphPath,
        roots,
        rootCache,
        instants,
        api,
        allowEdits: options.allowEdits ?? false,
        checkSupervoxels: options.checkSupervoxels ?? true,
        datastack,
      },
      moment,
    );
  });
}

interface Opened {
  raw: Readonly<Record<string, unknown>>;
  info: VolumeInfo;
  store: Store;
  infoWasRead: boolean;
  /** Used unless the options name one. */
  mip: number;
  redirects: readonly string[];
  http: HttpClient;
  options: OpenOptions;
}

function partsOf({ raw, info, store, infoWasRead, mip, redirects, http, options }: Opened): VolumeParts {
  const chosen = options.mip ?? mip;
  // One that nobody named is refused when it is read.
  if (options.mip !== undefined || !info.scales[chosen]?.error) scaleAt(info.scales, chosen);
  const life = new AbortController();
  return {
    raw: withoutSecretsIn(raw),
    info,
    redirects,
    mip: chosen,
    life,
    reader: new PointReader({
      info,
      store,
      infoWasRead,
      concurrency: options.concurrency,
      lruBytes: options.lruBytes,
      lruEncoding: options.lruEncoding,
      rangeReads: options.rangeReads,
      warn: (message) => loggerOf(options).warn(message),
      chunkCache: chunkCacheOf(options, store, raw, loggerOf(options)),
    }),
    resolution: options.resolution as Vec3 | undefined,
    logger: loggerOf(options),
    timeoutMs: options.timeoutMs,
    release: () => http.close(),
  };
}

/** An HTTP client for one volume; closed again when the opening fails. */
async function withHttp<T>(
  options: Omit<OpenOptions, 'resolution'>,
  open: (http: HttpClient) => Promise<T>,
): Promise<T> {
  const { concurrency = 32, retries, connectTimeoutMs, idleTimeoutMs, timeoutMs, signal } = options;
  const http = createHttpClient({ maxSockets: concurrency + 16, retries, connectTimeoutMs, idleTimeoutMs });
  try {
    return await within(timeoutMs, [signal], (bound) => leaveOnAbort(open(http), bound, () => undefined));
  } catch (error) {
    http.close();
    throw error;
  }
}
