/**
 * Connects what looks up roots with one token: the client, the batcher and the API of a chunkedgraph. A volume has
 * one, and so has each view of it with another token.
 */
import type { Logger } from '../base/logger.ts';
import { retryObserver, type Observer } from '../base/volume-events.ts';
import { Endpoints } from '../chunkedgraph/api/endpoints.ts';
import type { GraphInfo } from '../chunkedgraph/ids/graph-info.ts';
import type { RootCacheParts } from '../chunkedgraph/root-cache/root-cache.ts';
import { createRootHistory } from '../chunkedgraph/root-cache/server-history.ts';
import { StaleCheck } from '../chunkedgraph/root-cache/stale-check.ts';
import { RootBatcher } from '../chunkedgraph/roots/root-batcher.ts';
import type { RootSource } from '../chunkedgraph/roots/root-source.ts';
import type { WindowClock } from '../chunkedgraph/roots/window-clock.ts';
import { ChunkedGraphClient } from '../chunkedgraph/server/chunkedgraph-client.ts';
import type { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { observeClient } from '../chunkedgraph/server/observe-client.ts';
import type { OpenGrapheneOptions } from './option-types.ts';

/** What a connection is made of. */
export interface GraphConnectionParts {
  /** The table's server, with the token. */
  server: GraphServer;
  graph: GraphInfo;
  windowClock: WindowClock;
  options: OpenGrapheneOptions;
  logger: Logger;
  observe: Observer | undefined;
  /** Aborted when the volume, or the view, is closed. */
  life: AbortSignal;
}

/** What looks up roots with one token. */
export interface GraphConnection {
  roots: RootSource;
  api: Endpoints;
  /** What a root cache in front of `roots` is built from. */
  cacheParts: RootCacheParts;
}

/** Settings of a view of a volume with another token. */
export interface TokenViewOptions {
  /** Where the token came from, for messages: `the request`. */
  from: string;
  /** Most pairs of a supervoxel and a root that the view keeps, if the volume has a root cache. */
  rootCacheEntries: number;
}

/** Connects to the server. Sends no request. */
export function connectGraph({
  server,
  graph,
  windowClock,
  options,
  logger,
  observe,
  life,
}: GraphConnectionParts): GraphConnection {
  const { path } = server,
    { batchWindowMs, rootTimeoutMs, rootConcurrency, retries } = options,
    { ids, nLayers, ocdbt: supervoxelsSplit } = graph;
  const onRetry = observe && retryObserver(path.host, observe),
    client = new ChunkedGraphClient({ server, rootTimeoutMs });
  const batcher = new RootBatcher({
    client: observe ? observeClient(client, observe) : client,
    observe,
    ids,
    nLayers,
    host: path.host,
    pace: options.pace,
    windowClock,
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
    closeSignal: life,
    concurrency: rootConcurrency,
    timeoutMs: rootTimeoutMs,
    retries,
    onRetry,
  });
  const roots = new StaleCheck({ source: batcher, ids, nLayers, windowClock, supervoxelsSplit });
  return {
    roots,
    api,
    cacheParts: {
      source: roots,
      history: createRootHistory(batcher, api),
      graph: supervoxelsSplit ? `${path.tableUrl}#supervoxels-split` : path.tableUrl,
      ids,
      nLayers,
      windowClock,
      supervoxelsSplit,
    },
  };
}
