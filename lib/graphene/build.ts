/** From what is known of a volume to the volume, top to bottom: nothing is asked here, and nothing read but the file of a root cache. */
import type { Logger } from '../base/logger.ts';
import { retriesOf, type Observe } from '../base/observer.ts';
import { withoutSecretsIn } from '../base/secrets.ts';
import { Endpoints } from '../chunkedgraph/api/endpoints.ts';
import { serverHistory } from '../chunkedgraph/root-cache/server-history.ts';
import { Instants } from '../chunkedgraph/roots/instants.ts';
import { RootBatcher } from '../chunkedgraph/roots/root-batcher.ts';
import { ChunkedGraphClient } from '../chunkedgraph/server/client.ts';
import { observedClient } from '../chunkedgraph/server/observed-client.ts';
import type { HttpClient } from '../http/client.ts';
import { PointReader } from '../points/point-reader.ts';
import type { VolumeInfo } from '../precomputed/info.ts';
import type { Store } from '../storage/store.ts';
import { chunkCacheOf } from './chunk-cache.ts';
import { datastackOf } from './datastack.ts';
import { GrapheneVolume } from './graphene-volume.ts';
import type { OpenGrapheneOptions, OpenOptions } from './options.ts';
import { PrecomputedVolume, type VolumeParts } from './precomputed-volume.ts';
import type { VolumeDescription } from './resolve/description.ts';
import { chosenMip } from './resolve/mip.ts';
import type { ResolvedGraph } from './resolve/resolve-graph.ts';
import type { ResolvedPlain } from './resolve/resolve-plain.ts';
import { openRootCache } from './root-cache.ts';

interface With<Options> {
  options: Options;
  http: HttpClient;
  logger: Logger;
  observe: Observe | undefined;
}

export function buildPrecomputed(
  resolved: ResolvedPlain,
  given: With<Omit<OpenOptions, 'resolution'>>,
): PrecomputedVolume {
  return new PrecomputedVolume(partsOf({ ...resolved, mip: 0 }, given));
}

/** @throws SnapshotError for `rootCache.file`. */
export async function buildGraphene(
  { description, graph, info, server, materializations, store }: ResolvedGraph,
  given: With<OpenGrapheneOptions>,
): Promise<GrapheneVolume> {
  const { options, logger, observe } = given,
    { path } = server,
    { settleMs, batchWindowMs, rootTimeoutMs, rootConcurrency, retries } = options,
    { ids, nLayers, cvMip } = graph;
  const parts = partsOf({ description, info, store, infoWasRead: false, mip: cvMip }, given),
    life = parts.life.signal;
  const datastack =
    description.datastack && materializations
      ? datastackOf(description.datastack, materializations, life)
      : undefined;
  const instants = new Instants(server.clock, { settleMs, windowMs: batchWindowMs });
  const onRetry = observe && retriesOf(path.host, observe),
    client = new ChunkedGraphClient({ server, rootTimeoutMs });
  const roots = new RootBatcher({
    client: observe ? observedClient(client, observe) : client,
    observe,
    ids,
    nLayers,
    host: path.host,
    pace: options.pace,
    instants,
    warn: (message) => logger.warn(message),
    batchSize: options.rootBatchSize,
    batchBytes: options.rootBatchBytes,
    concurrency: rootConcurrency,
    windowMs: batchWindowMs,
    retries,
    onRetry,
  });
  const api = new Endpoints({
    server,
    life,
    concurrency: rootConcurrency,
    timeoutMs: rootTimeoutMs,
    retries,
    onRetry,
  });
  const caching = options.rootCache === true ? {} : options.rootCache || undefined,
    history = serverHistory(roots, api);
  const rootCache =
    caching &&
    (await openRootCache(
      caching,
      { source: roots, history, graph: path.tableUrl, ids, nLayers, instants },
      logger,
      options.cacheDir,
    ));
  return new GrapheneVolume(
    {
      ...parts,
      graph,
      path,
      roots,
      rootCache,
      instants,
      api,
      allowEdits: options.allowEdits ?? false,
      checkSupervoxels: options.checkSupervoxels ?? true,
      datastack,
    },
    description.timestamp ?? undefined,
  );
}

interface Known {
  description: VolumeDescription;
  info: VolumeInfo;
  store: Store;
  infoWasRead: boolean;
  /** Used unless the options name one. */
  mip: number;
}

function partsOf(
  { description, info, store, infoWasRead, mip }: Known,
  { options, http, logger, observe }: With<Omit<OpenOptions, 'resolution'>>,
): VolumeParts {
  const { info: raw, redirects } = description;
  return {
    raw: withoutSecretsIn(raw),
    info,
    redirects,
    mip: chosenMip(info, options.mip, mip),
    life: new AbortController(),
    reader: new PointReader({
      info,
      store,
      infoWasRead,
      concurrency: options.concurrency,
      lruBytes: options.lruBytes,
      lruEncoding: options.lruEncoding,
      rangeReads: options.rangeReads,
      observe,
      warn: (message) => logger.warn(message),
      chunkCache: chunkCacheOf(options, store, raw, logger),
    }),
    resolution: description.options.resolution,
    logger,
    timeoutMs: options.timeoutMs,
    release: () => http.close(),
  };
}
