/** Finds the watershed of a chunkedgraph, and checks that its info describes one. */
import { InfoError, PathError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { GraphPath } from '../../chunkedgraph/server/graph-path.ts';
import type { FoundToken } from '../../chunkedgraph/server/token.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { scaleAt, type VolumeInfo } from '../../precomputed/volume-info.ts';
import { isStore, type Store } from '../../storage/store.ts';
import type { OpenGrapheneOptions } from '../option-types.ts';
import type { StorageOptions } from '../../storage/bucket-options.ts';
import { openBucket, type BucketLocation } from './open-bucket.ts';
import { checkMip } from './mip.ts';
import {
  allowedAddressesFrom,
  acceptNamedBucket,
  quotePath,
  type NamingContext,
} from './server-named-bucket.ts';

/** The graph server, which names the watershed. */
export interface GraphAddress {
  path: GraphPath;
  token: FoundToken | undefined;
  /** IP address that the server answered from. */
  address: string | undefined;
}

/** The `dataDir` of a volume of which no voxel is read. */
export const NO_VOXELS = 'mem://no-voxel/is-read';

/** A bucket and its store. */
export interface FoundBucket {
  location: BucketLocation;
  store: Store;
}

/**
 * Finds the watershed's bucket, and reads nothing. The option `dataDir` comes first, then the path that the
 * server names, if it may name it.
 * @throws InfoError BAD_INFO; as `acceptNamedBucket` and `openBucket`.
 */
export async function findWatershed(
  named: string | undefined,
  server: GraphAddress,
  http: HttpClient,
  { dataDir, storage, logger }: Pick<OpenGrapheneOptions, 'dataDir' | 'storage'> & { logger: Logger },
): Promise<FoundBucket> {
  const keys = { storage, graphToken: server.token?.token, logger };
  if (dataDir === undefined && !isStore(storage)) {
    const place = locateNamedWatershed(named, server, storage);
    return { location: place, store: await openBucket(place, http, keys) };
  }
  const place: BucketLocation = { path: dataDir ?? '', allowAddress: 'any', graphToken: false };
  const store = await openBucket(place, http, keys);
  // A missing chunk is an answer, but a missing folder is a mistake. A bucket in memory may be filled later.
  if (store.exists?.() === false && !store.url.startsWith('mem:'))
    throw new PathError('BAD_PATH', `dataDir ${store.url} does not exist`);
  return { location: place, store };
}

/** What a graph server may name. */
export const namingOf = ({
  path: { origin, hostname },
  token,
  address,
}: GraphAddress): Omit<NamingContext, 'claim' | 'advice'> => ({
  origin,
  allowAddress: allowedAddressesFrom(hostname, address),
  bucketHeaders: true,
  hasToken: token !== undefined,
});

function locateNamedWatershed(
  dataDir: string | undefined,
  server: GraphAddress,
  storage: StorageOptions | undefined,
): BucketLocation {
  const { infoUrl, origin } = server.path;
  const bad = (what: string): InfoError =>
    new InfoError(
      'BAD_INFO',
      `info at ${infoUrl}${what}; pass the path of the watershed as dataDir`,
      infoUrl,
    );
  if (dataDir === undefined) throw bad(' has no data_dir');
  if (dataDir.trim() === '') throw bad(': data_dir is empty');
  const naming: NamingContext = {
    claim: `data_dir ${quotePath(dataDir)} came from ${origin}`,
    advice: 'pass it as dataDir',
    ...namingOf(server),
  };
  return acceptNamedBucket(dataDir, naming, storage);
}

/**
 * Checks that an info describes a watershed.
 * @throws InfoError BAD_INFO; RangeError for a mip finer than the graph's.
 */
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
