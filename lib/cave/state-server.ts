/**
 * States of viewers on servers: reads one by its address, and posts one to a CAVE state server.
 * Source: CAVEclient, caveclient/jsonservice.py and endpoints.py (`/nglstate/api/v1/ID`, `…/post`, which answers
 * with the address of the state).
 */
import { InfoError } from '../base/errors.ts';
import { toPrintable } from '../base/printable.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { findToken, mayReceiveToken, tokenFileName } from '../chunkedgraph/server/token.ts';
import type { HttpClient } from '../http/http-request.ts';
import { readText, secretsFolder } from '../storage/secret-files.ts';
import { join } from 'node:path';
import { DEFAULT_CAVE_SERVER, parseServer, serviceUrl } from './cave-server.ts';

/** How a state server is reached. */
export interface StateServerOptions {
  http: HttpClient;
  /** A token; null to send none; undefined to search. */
  token?: string | null;
  env: NodeJS.ProcessEnv;
  /** Servers that the user named: they may get the token, as may CAVE's global server. */
  trusted: readonly Host[];
  signal?: AbortSignal;
  warn: (message: string) => void;
}

/** A size limit with room for any state that a viewer can show. */
const MAX_STATE_BYTES = 2 ** 28;
const STATE_PATH = /\/nglstate(?:\/api\/v\d+)?\/(?:raw\/)?\w+$/;

/** Whether an address is that of a state on a CAVE state server. */
export const isStoredState = (url: string): boolean =>
  URL.canParse(url) && STATE_PATH.test(new URL(url).pathname);

/**
 * Reads a state by its address. A link may come from anybody, so a token is sent only to a state server that the
 * user has named, that has a token file of its own, or that is CAVE's global server.
 *
 * @returns The JSON text.
 * @throws GraphError; PathError.
 */
export async function fetchState(address: string, options: StateServerOptions): Promise<string> {
  const { origin } = new URL(address),
    host = parseServer(origin),
    server = new GraphServer<Host>({
      http: options.http,
      path: host,
      token:
        isStoredState(address) && (await mayGetToken(host, options))
          ? await tokenOf(host, options)
          : undefined,
    });
  const { body } = await server.request({ url: address, maxBytes: MAX_STATE_BYTES, signal: options.signal });
  return new TextDecoder().decode(body);
}

async function mayGetToken(host: Host, { trusted, env, warn }: StateServerOptions): Promise<boolean> {
  if (!mayReceiveToken(host)) return false;
  const known = [parseServer(DEFAULT_CAVE_SERVER), ...trusted];
  if (known.some(({ origin }) => origin === host.origin)) return true;
  const own = await readText(join(secretsFolder(env), tokenFileName(host))).catch(() => undefined);
  if (own !== undefined) return true;
  warn(
    `no token is sent to ${host.origin}, which only the link names: if you trust it, save its token with graphene-points login ${host.origin}`,
  );
  return false;
}

const tokenOf = (host: Host, { token, env, warn }: StateServerOptions): ReturnType<typeof findToken> =>
  findToken(host, { token, env }, warn);

/**
 * Posts a state to the state server of a host, which the user has named.
 *
 * @returns The address of the state.
 * @throws GraphError; InfoError BAD_INFO if the answer does not name the state.
 */
export async function postState(state: object, host: Host, options: StateServerOptions): Promise<string> {
  const server = new GraphServer<Host>({
      http: options.http,
      path: host,
      token: await tokenOf(host, options),
    }),
    url = serviceUrl(host, '/nglstate/api/v1/post');
  const { body } = await server.request({
    method: 'POST',
    url,
    body: new TextEncoder().encode(JSON.stringify(state)),
    headers: { 'content-type': 'application/json' },
    maxBytes: 2 ** 16,
    retry: false, // a second attempt could store the state twice
    signal: options.signal,
  });
  const answer = new TextDecoder().decode(body),
    [, id] = /^\s*"?(?:https?:\/\/[^"]*\/)?(\d+)\/?"?\s*$/.exec(answer) ?? [];
  if (id === undefined)
    throw new InfoError('BAD_INFO', `the answer of ${url} names no state: ${toPrintable(answer, 100)}`, url);
  return serviceUrl(host, `/nglstate/api/v1/${id}`);
}
