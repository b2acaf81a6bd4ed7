/** Whether volumes can be read from here, check by check, each with what to do next. Nothing that is found holds a token. */
import { LookupError } from '../base/errors.ts';
import { serverOf } from '../cave/server.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { cloudPath, isGraphPath } from '../graphene/resolve/cloud-path.ts';
import { authHostOf } from '../graphene/resolve/place.ts';
import { createHttpClient } from '../failures/http-client.ts';
import type { HttpClient } from '../http/client.ts';
import { checkGraph } from './check-graph.ts';
import { checkPlain } from './check-plain.ts';
import { checkToken } from './check-token.ts';
import { INFO_BOUND, type DoctorOptions } from './doctor-options.ts';
import { fail, ok, type Finding, type Findings } from './findings.ts';
import { checkSecrets } from './secrets.ts';

export type { DoctorOptions } from './doctor-options.ts';

const OLDEST_NODE = [20, 19];

/**
 * Checks in the order in which they build on each other; where one fails that others need, it is the last.
 *
 * @param path As `openGraphene` or `openPrecomputed` takes it; undefined checks this machine, and the token of the server.
 * @throws RangeError or TypeError for an impossible option; `signal.reason`.
 */
export async function* diagnose(path: string | undefined, options: DoctorOptions = {}): Findings {
  const { version = process.versions.node, retries = 2 } = options;
  yield checkNode(version);
  yield* checkSecrets(process.env);
  const http = createHttpClient({ retries });
  try {
    if (path === undefined) yield* checkServer(http, options);
    else if (isGraphPath(cloudPath(path))) yield* checkGraph(path, http, { ...options, retries });
    else yield* checkPlain(path, { ...options, retries });
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
    said: `Node ${version}; ${OLDEST_NODE.join('.')} or later is needed`,
    next: 'install a current Node',
  };
}

/** Without a path: whether the server takes the token. Source: middle_auth_client, decorators.py, `user_cache_http`. */
async function* checkServer(http: HttpClient, options: DoctorOptions): Findings {
  const host = await serverOf('', options.server, process.env);
  const { finding, token } = await checkToken(host, {
    token: options.token,
    authHost: authHostOf(options.authServer),
  });
  yield finding;
  if (!token) return;
  const server = new GraphServer<Host>({ http, path: host, token });
  try {
    await server.ask({
      url: `${host.origin}/auth/api/v1/user/cache`,
      maxBytes: INFO_BOUND,
      signal: options.signal,
    });
    yield ok('access', `${host.origin} takes the token`);
  } catch (error) {
    yield fail('access', error, host.origin);
  }
}
