/**
 * Creates a volume from its resolved description: loads the decoders, and connects the reader and the caches.
 * Sends no request, and reads no file.
 */
import type { Logger } from '../base/logger.ts';
import type { Observer } from '../base/volume-events.ts';
import { redactSecretsIn } from '../base/secret-redaction.ts';
import type { HttpClient } from '../http/http-request.ts';
import { isOcdbtStore } from '../ocdbt/ocdbt-store.ts';
import { PointReader } from '../points/point-reader.ts';
import type { VolumeInfo } from '../precomputed/volume-info.ts';
import { isStore, type Store } from '../storage/store.ts';
import { canUseWorkers } from '../workers/create-worker-pool.ts';
import type { WorkerPool } from '../workers/worker-pool.ts';
import { openChunkCache } from './open-chunk-cache.ts';
import { loadDecoders } from './load-decoders.ts';
import type { OpenOptions } from './option-types.ts';
import { PrecomputedVolume, type VolumeParts } from './precomputed-volume.ts';
import type { VolumeDescription } from './resolve/description.ts';
import { chooseMip } from './resolve/mip.ts';
import type { ResolvedPrecomputed } from './resolve/resolve-precomputed.ts';

/** What a volume is created with, besides its description. */
export interface VolumeSetup<Options> {
  options: Options;
  http: HttpClient;
  logger: Logger;
  observe: Observer | undefined;
  threads: WorkerPool | undefined;
}

/** Creates a Precomputed volume. */
export async function createPrecomputedVolume(
  resolved: ResolvedPrecomputed,
  setup: VolumeSetup<Omit<OpenOptions, 'resolution'>>,
): Promise<PrecomputedVolume> {
  return new PrecomputedVolume((await createParts({ ...resolved, mip: 0 }, setup)).parts);
}

/** What was resolved of a volume. */
interface ResolvedVolume {
  description: VolumeDescription;
  info: VolumeInfo;
  store: Store;
  infoWasRead: boolean;
  /** Scale to read, unless the options name one. */
  mip: number;
}

/** Connects what every volume has. */
export async function createParts(
  { description, info: resolvedInfo, store, infoWasRead, mip }: ResolvedVolume,
  { options, http, logger, observe, threads }: VolumeSetup<Omit<OpenOptions, 'resolution'>>,
): Promise<{ parts: VolumeParts; createReader: (store: Store) => PointReader }> {
  const { info: raw, redirects } = description;
  const info = { ...resolvedInfo, scales: await loadDecoders(resolvedInfo.scales, store.url) };
  const createReader = (own: Store): PointReader =>
    new PointReader({
      info,
      store: own,
      infoWasRead,
      concurrency: options.concurrency,
      lruBytes: options.lruBytes,
      lruEncoding: options.lruEncoding,
      threads: canUseWorkers(own, isStore(options.storage)) ? threads : undefined,
      rangeReads: options.rangeReads,
      observe,
      warn: (message) => logger.warn(message),
      chunkCache: openChunkCache(options, own, raw, logger),
    });
  const reader = createReader(store);
  const parts: VolumeParts = {
    raw: redactSecretsIn(raw),
    info,
    redirects,
    bucket: description.bucket,
    generation: isOcdbtStore(store) ? store.generation : undefined,
    mip: chooseMip(info, options.mip, mip),
    life: new AbortController(),
    reader,
    resolution: description.options.resolution,
    logger,
    timeoutMs: options.timeoutMs,
    release: async () => {
      http.close();
      await reader.whenSaved(); // the threads write to the disk cache
      await threads?.close();
    },
  };
  return { parts, createReader };
}
