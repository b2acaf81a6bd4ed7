/** Checks whether a Precomputed volume can be read. */
import { createHttpClient } from '../failures/http-client.ts';
import { openPrecomputed } from '../graphene/open-and-resolve.ts';
import { isStore } from '../storage/store.ts';
import { toHeaders, MIDDLEAUTH } from '../graphene/resolve/open-bucket.ts';
import { parseKvPath } from '../graphene/resolve/kv-path.ts';
import { plainPathsOf } from '../graphene/resolve/kv-node.ts';
import { normalizeCloudPath } from '../graphene/resolve/cloud-path.ts';
import { openStore } from '../storage/open-store.ts';
import { checkProxy } from './check-proxy.ts';
import { checkToken } from './check-token.ts';
import { SILENT_LOGGER, type DoctorOptions } from './doctor-options.ts';
import { fail, ok, type Findings } from './findings.ts';
import { lookUpNearMiddle } from './check-look-up.ts';

/** Yields one finding per step: token and proxy if they apply, redirects, bucket and look-up. */
export async function* checkPrecomputed(
  path: string,
  {
    version: _version,
    now: _now,
    server,
    authServer,
    token,
    dataDir,
    ocdbt,
    voxelsAt,
    ...options
  }: DoctorOptions,
): Findings {
  for (const [name, value] of Object.entries({ server, authServer, token, dataDir, ocdbt, voxelsAt }))
    if (value !== undefined) throw new TypeError(`${name} is for graphene:// and cave:// paths`);
  const location = normalizeCloudPath(path),
    address = location.replace(MIDDLEAUTH, '');
  if (address !== location && URL.canParse(address)) yield (await checkToken(new URL(address), {})).finding;
  yield* checkProxy(findAddress(location, options.storage));
  let volume;
  try {
    volume = await openPrecomputed(path, { ...options, logger: SILENT_LOGGER });
  } catch (error) {
    return yield fail('bucket', error);
  }
  try {
    if (volume.redirects.length > 0) yield ok('redirect', volume.redirects.join(' -> '));
    yield ok(
      'bucket',
      `${volume.generation === undefined ? '' : `generation ${volume.generation} of an OCDBT database; `}${volume.type} of ${volume.dataType}, ${volume.scales.length} ${volume.scales.length === 1 ? 'scale' : 'scales'}`,
    );
    yield await lookUpNearMiddle(
      volume,
      Math.max(
        0,
        volume.scales.findIndex(({ error }) => !error),
      ), // else the finding says why none can be read
      options.signal,
    );
  } finally {
    await volume.close();
  }
}

/** Returns the address of a store, as far as its path determines it. */
function findAddress(path: string, storage: DoctorOptions['storage']): string {
  if (isStore(storage)) return storage.url;
  const http = createHttpClient();
  try {
    const [first] = plainPathsOf(parseKvPath(path));
    return openStore(first.replace(MIDDLEAUTH, ''), { ...storage, http, headers: toHeaders(storage) }).url;
  } catch {
    return ''; // opening the volume reports the error
  } finally {
    http.close();
  }
}
