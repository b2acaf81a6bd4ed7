/** Whether a Precomputed volume can be read. */
import { createHttpClient } from '../failures/http-client.ts';
import { openPrecomputed } from '../graphene/open.ts';
import { isStore } from '../storage/store.ts';
import { headersOf, MIDDLEAUTH } from '../graphene/resolve/bucket.ts';
import { cloudPath } from '../graphene/resolve/cloud-path.ts';
import { openStore } from '../storage/open.ts';
import { checkProxy } from './check-proxy.ts';
import { checkToken } from './check-token.ts';
import { QUIET, type DoctorOptions } from './doctor-options.ts';
import { fail, ok, type Findings } from './findings.ts';
import { lookUpNearMiddle } from './one-look-up.ts';

export async function* checkPlain(
  path: string,
  { version: _version, now: _now, server, authServer, token, dataDir, ocdbt, ...options }: DoctorOptions,
): Findings {
  for (const [name, value] of Object.entries({ server, authServer, token, dataDir, ocdbt }))
    if (value !== undefined) throw new TypeError(`${name} is for graphene:// and cave:// paths`);
  const location = cloudPath(path),
    address = location.replace(MIDDLEAUTH, '');
  if (address !== location && URL.canParse(address)) yield (await checkToken(new URL(address), {})).finding;
  yield* checkProxy(addressOf(location, options.storage));
  let volume;
  try {
    volume = await openPrecomputed(path, { ...options, logger: QUIET });
  } catch (error) {
    return yield fail('bucket', error);
  }
  try {
    if (volume.redirects.length > 0) yield ok('redirect', volume.redirects.join(' -> '));
    yield ok(
      'bucket',
      `${volume.type} of ${volume.dataType}, ${volume.scales.length} ${volume.scales.length === 1 ? 'scale' : 'scales'}`,
    );
    yield await lookUpNearMiddle(
      volume,
      volume.scales.findIndex(({ error }) => !error),
      options.signal,
    );
  } finally {
    await volume.close();
  }
}

/** Where a store is, as far as its path says. */
function addressOf(path: string, storage: DoctorOptions['storage']): string {
  if (isStore(storage)) return storage.url;
  const http = createHttpClient();
  try {
    return openStore(path.replace(MIDDLEAUTH, ''), { ...storage, http, headers: headersOf(storage) }).url;
  } catch {
    return ''; // opening it says what is wrong
  } finally {
    http.close();
  }
}
