/**
 * Checks whether volumes can be read from this machine. A finding with a problem says what to do next. No
 * finding contains a token.
 */
import { LookupError } from '../base/errors.ts';
import { findServer } from '../cave/cave-server.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { normalizeCloudPath, isGraphPath } from '../graphene/resolve/cloud-path.ts';
import { parseAuthServer } from '../graphene/resolve/volume-path.ts';
import { createHttpClient } from '../failures/http-client.ts';
import type { HttpClient } from '../http/http-request.ts';
import { checkGraph } from './check-graph.ts';
import { checkPrecomputed } from './check-precomputed.ts';
import { checkToken } from './check-token.ts';
import { MAX_INFO_BYTES, type DoctorOptions } from './doctor-options.ts';
import { fail, ok, type Finding, type Findings } from './findings.ts';
import { checkSecrets } from './check-secrets.ts';

export type { DoctorOptions } from './doctor-options.ts';

const OLDEST_NODE = [20, 19];

/**
 * Runs the checks in an order in which later checks build on earlier ones. It stops at a failed check that
 * the others need.
 *
 * @param path A path for `openGraphene` or `openPrecomputed`; undefined checks this machine and the token
 *   of the server.
 * @throws RangeError or TypeError for an invalid option; `signal.reason`.
 */
export async function* diagnose(path: string | undefined, options: DoctorOptions = {}): Findings {
  const { version = process.versions.node, retries = 2 } = options;
  yield checkNode(version);
  yield* checkSecrets(process.env);
  const http = createHttpClient({ retries });
  try {
    if (path === undefined) yield* checkServer(http, options);
    else if (isGraphPath(normalizeCloudPath(path))) yield* checkGraph(path, http, { ...options, retries });
    else yield* checkPrecomputed(path, { ...options, retries });
  } catch (error) {
    if (!(error instanceof LookupError)) throw error;
    yield fail('path', error);
  } finally {
    http.close();
  }
}

function checkNode(version: string): Finding {
  const [major, minor] = version.split('.').map(Number),
    [wantedMajor, wantedMinor] = OLDEST_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor))
    return ok('node', `Node ${version}`);
  return {
    name: 'node',
    verdict: 'fail',
    said: `Node ${version}; version ${OLDEST_NODE.join('.')} or later is needed`,
    next: 'install a current version of Node',
  };
}

/**
 * Checks whether the server accepts the token. Source: middle_auth_client, decorators.py, `user_cache_http`.
 */
async function* checkServer(http: HttpClient, options: DoctorOptions): Findings {
  const host = await findServer('', options.server, process.env);
  const { finding, token } = await checkToken(host, {
    token: options.token,
    authHost: parseAuthServer(options.authServer),
  });
  yield finding;
  if (!token) return;
  const server = new GraphServer<Host>({ http, path: host, token });
  try {
    await server.request({
      url: `${host.origin}/auth/api/v1/user/cache`,
      maxBytes: MAX_INFO_BYTES,
      signal: options.signal,
    });
    yield ok('access', `${host.origin} accepts the token`);
  } catch (error) {
    yield fail('access', error, host.origin);
  }
}
