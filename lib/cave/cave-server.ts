/**
 * CAVE servers: finds the server of a datastack, decides which other servers may get the token, and requests
 * JSON.
 */
import { join } from 'node:path';
import * as z from 'zod/mini';
import { GraphError, InfoError, PathError } from '../base/errors.ts';
import { isLoopbackHost, isPublicAddress } from '../base/public-address.ts';
import type { Host } from '../chunkedgraph/server/graph-path.ts';
import type { GraphServer } from '../chunkedgraph/server/graph-server.ts';
import { readText, secretsFolder } from '../storage/secret-files.ts';
import type { AddressPolicy } from '../http/http-request.ts';
import { firstIssue, safeParse } from '../base/schema.ts';

/**
 * The server of datastacks that name no other. Source: CAVEclient, caveclient/endpoints.py,
 * `default_global_server_address`.
 */
export const DEFAULT_CAVE_SERVER = 'https://global.daf-apis.com';

/** A size limit with room for any datastack's record or list of versions. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Parses the address of a server: `https://host[:port][/path]`, or a bare host.
 * @throws PathError BAD_PATH.
 */
export function parseServer(address: string): Host {
  const bad = (why: string): PathError =>
    new PathError('BAD_PATH', `${why}; write it as https://HOST[:PORT][/PATH]`);
  const text = address.includes('://') ? address : `https://${address}`;
  if (!URL.canParse(text)) throw bad('the server is not a URL');
  const { protocol, username, password, search, hash, origin, hostname, host, pathname } = new URL(text),
    prefix = pathname.replace(/\/+$/, '');
  if (protocol !== 'https:' && protocol !== 'http:') throw bad(`the server's protocol is ${protocol}//`);
  if (username || password || search || hash)
    throw bad('the server has a user name, a password, a query or a fragment');
  return { origin, hostname, host, ...(prefix !== '' && { prefix }) };
}

/**
 * Parses the address of a server that an info service named. The server gets the user's token, so both the
 * info service and the server must use TLS. A server on this machine may only be named by another one on this
 * machine. The info service's own address is always accepted, because the user named it.
 * @throws PathError BAD_PATH or INSECURE_TOKEN.
 */
export function parseNamedServer(address: string, from: Host): Host {
  const host = parseServer(address);
  if (host.origin === from.origin) return host;
  const local = isLoopbackHost(host.hostname),
    trusted = isLoopbackHost(from.hostname);
  const why =
    !trusted && !isSecure(from)
      ? 'but this answer did not come over TLS'
      : !local && !isSecure(host)
        ? 'which is not reached over TLS'
        : local && !trusted
          ? 'which is this machine'
          : undefined;
  if (why === undefined) return host;
  throw new PathError(
    'INSECURE_TOKEN',
    `${from.origin} names ${host.origin}, ${why}: no token is sent there`,
  );
}

const isSecure = ({ origin }: Host): boolean => origin.startsWith('https:');

/**
 * Decides which IP addresses a host may have that a server named: only public ones, unless the host is that
 * server itself, or that server's own address is not public.
 */
export function allowedAddressesOf(
  { origin }: Host,
  { path: from, address }: GraphServer<Host>,
): AddressPolicy {
  const named =
    origin === from.origin ||
    isLoopbackHost(from.hostname) ||
    (address !== undefined && !isPublicAddress(address));
  return named ? 'any' : 'public';
}

/**
 * Finds the server of a datastack: the given one, else the one that CAVEclient remembers, else the global
 * one.
 * Source: CAVEclient, caveclient/datastack_lookup.py.
 * @throws PathError BAD_PATH.
 */
export async function findServer(
  datastack: string,
  given: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Host> {
  if (given !== undefined) return parseServer(given);
  const file = join(secretsFolder(env), 'cave_datastack_to_server_map.json');
  const known: unknown = await readText(file)
    .then(JSON.parse)
    .catch(() => ({}));
  const remembered =
    typeof known === 'object' && known !== null && Object.hasOwn(known, datastack)
      ? (known as Record<string, unknown>)[datastack]
      : undefined;
  return parseServer(typeof remembered === 'string' ? remembered : DEFAULT_CAVE_SERVER);
}

/** Returns the URL of a service's path. */
export const serviceUrl = ({ origin, prefix = '' }: Host, path: string): string =>
  `${origin}${prefix}${path}`;

/**
 * Requests JSON from a service and checks it against a schema.
 * @param what What the answer describes, for errors: `datastack "minnie65"`.
 * @throws GraphError; InfoError NOT_FOUND (status 404) or BAD_INFO.
 */
export async function requestJson<T>(
  server: GraphServer<Host>,
  path: string,
  schema: z.core.$ZodType<T>,
  what: string,
  signal?: AbortSignal,
): Promise<T> {
  const url = serviceUrl(server.path, path);
  let body: Uint8Array;
  try {
    ({ body } = await server.request({ url, maxBytes: MAX_BYTES, signal }));
  } catch (error) {
    if (error instanceof GraphError && error.status === 404)
      throw new InfoError('NOT_FOUND', `${server.path.origin} has no ${what}`, url);
    throw error;
  }
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new InfoError(
      'BAD_INFO',
      `the answer of ${url} is not JSON${body[0] === 0x3c ? ' but a web page: is the address right, and is a log-in needed?' : ''}`,
      url,
    );
  }
  const parsed = safeParse(schema, json);
  if (!parsed.success)
    throw new InfoError(
      'BAD_INFO',
      `the answer of ${url} is not a valid ${what}: ${firstIssue(parsed.error)}`,
      url,
    );
  return parsed.data;
}
