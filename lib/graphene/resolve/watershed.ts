/** The watershed of a chunkedgraph: where it is, and whether it can be one. */
import { existsSync } from 'node:fs';
import { InfoError, PathError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { GraphPath } from '../../chunkedgraph/server/graph-path.ts';
import type { FoundToken } from '../../chunkedgraph/server/token.ts';
import type { HttpClient } from '../../http/client.ts';
import { scaleAt, type VolumeInfo } from '../../precomputed/info.ts';
import { FileStore } from '../../storage/file-store.ts';
import type { Store } from '../../storage/store.ts';
import { checkMip } from '../graphene-volume.ts';
import type { OpenGrapheneOptions } from '../options.ts';
import { isStore } from '../../storage/store.ts';
import { addressesNamedBy, quoted, storeNamed } from './named-place.ts';
import { storeAt } from './store-at.ts';

/** The server that names the watershed. */
export interface GraphAddress {
  path: GraphPath;
  token: FoundToken | undefined;
  /** That it answered from. */
  address: string | undefined;
}

/**
 * Where the watershed is: as the user says, else as the server says as far as a server may.
 * @throws InfoError BAD_INFO; as `storeNamed` and `storeAt`.
 */
export async function watershedStore(
  dataDir: string | undefined,
  server: GraphAddress,
  http: HttpClient,
  options: Pick<OpenGrapheneOptions, 'dataDir' | 'storage'> & { logger: Logger },
): Promise<Store> {
  const { storage, logger } = options;
  const { path: graphPath, token, address: serverAddress } = server;
  if (options.dataDir !== undefined || isStore(storage)) {
    const store = await storeAt(options.dataDir ?? '', 'any', http, { storage, logger });
    // Chunks that are not stored are an answer; a folder that is not there is a mistake.
    if (store instanceof FileStore && !existsSync(store.root))
      throw new PathError('BAD_PATH', `dataDir ${store.root} does not exist`);
    return store;
  }
  if (dataDir === undefined)
    throw new InfoError(
      'BAD_INFO',
      `info at ${graphPath.infoUrl} has no data_dir; pass dataDir, the watershed's path`,
      graphPath.infoUrl,
    );
  if (dataDir.trim() === '')
    throw new InfoError(
      'BAD_INFO',
      `info at ${graphPath.infoUrl}: data_dir is empty; pass dataDir, the watershed's path`,
      graphPath.infoUrl,
    );
  return storeNamed(
    dataDir,
    {
      said: `data_dir ${quoted(dataDir)} came from ${graphPath.origin}`,
      trust: 'pass it as dataDir',
      origin: graphPath.origin,
      allowAddress: addressesNamedBy(graphPath.hostname, serverAddress),
      bucketHeaders: true,
      token: token?.token,
    },
    http,
    { storage, logger },
  );
}

/** @throws InfoError BAD_INFO; RangeError for a mip finer than the graph's. */
export function checkWatershed(info: VolumeInfo, cvMip: number, mip: number | undefined, url: string): void {
  if (info.type !== 'segmentation' || info.dataType !== 'uint64' || info.numChannels !== 1)
    throw new InfoError(
      'BAD_INFO',
      `info at ${url}: a watershed is a segmentation of one uint64 channel, not ${info.type} of ${info.numChannels} x ${info.dataType}`,
      url,
    );
  if (cvMip >= info.scales.length)
    throw new InfoError(
      'BAD_INFO',
      `info at ${url}: graph.cv_mip is ${cvMip}, but there are ${info.scales.length} scales`,
      url,
    );
  scaleAt(info.scales, cvMip);
  checkMip(mip ?? cvMip, cvMip);
}
