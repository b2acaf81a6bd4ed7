/** Finds out who sends a request: by its token, or by where it comes from. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AccessError } from '../../base/errors.ts';
import { isLoopbackHost } from '../../base/public-address.ts';
import type { ServedVolume } from '../volumes.ts';
import type { AccessMode } from './access-options.ts';
import { readBearerToken } from './bearer-token.ts';
import type { CallerViews } from './caller-views.ts';
import { LOCAL_CALLER, type Caller } from './caller.ts';
import { caveCaller, publicCaller, tableOf, tokenCaller } from './callers.ts';
import type { CaveAuth, CaveUser } from './cave-auth.ts';
import type { TokenFile } from './token-file.ts';

/** What callers are recognized by. */
export interface IdentifyParts {
  mode: AccessMode;
  publicVolumes: ReadonlySet<string>;
  tlsByProxy: boolean;
  tokenFile: TokenFile | undefined;
  caveAuth: CaveAuth | undefined;
  views: CallerViews;
}

/** A caller, and the user of CAVE that they are. */
export interface Identity {
  caller: Caller;
  user?: CaveUser;
}

/** Headers that proxies add. */
const FORWARDED = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip'];

/**
 * Returns the sender of a request.
 * @param volume The volume that the request is about, if any.
 * @throws AccessError BAD_REQUEST, BAD_TOKEN, UNENCRYPTED_TOKEN, AUTH_UNAVAILABLE; NOT_ALLOWED for a request that
 *   came through a proxy to a service for this machine.
 */
export async function identify(
  request: FastifyRequest,
  reply: FastifyReply,
  volume: ServedVolume | undefined,
  { mode, publicVolumes, tlsByProxy, tokenFile, caveAuth, views }: IdentifyParts,
): Promise<Identity> {
  if (mode === 'local') {
    const proxied = FORWARDED.find((name) => request.headers[name] !== undefined);
    if (proxied === undefined) return { caller: LOCAL_CALLER };
    throw new AccessError(
      'NOT_ALLOWED',
      `the header ${proxied} says that the request came through a proxy, and this service answers to programs on this machine only: start it with --token-file, --auth cave or --public`,
    );
  }
  const token = mode === 'none' ? undefined : readBearerToken(request.headers.authorization);
  if (token === undefined) return { caller: publicCaller(publicVolumes) };
  if (!isPrivateConnection(request, tlsByProxy))
    throw new AccessError(
      'UNENCRYPTED_TOKEN',
      'the token came over a connection without TLS, so others may have read it: make a new one, and use https://',
    );
  if (tokenFile) {
    const rights = await tokenFile.rightsOf(token);
    if (rights) return { caller: tokenCaller(rights, publicVolumes) };
    throw new AccessError('BAD_TOKEN', 'this service does not know the token');
  }
  const user = await caveAuth!.userOf(token, volume && tableOf(volume));
  const viewOf = (of: ServedVolume): ReturnType<CallerViews['acquire']>['graph'] => {
    const { graph, release } = views.acquire(of, token, user.key);
    if (reply.raw.closed) release();
    else reply.raw.once('close', release);
    return graph;
  };
  return { caller: caveCaller(user, publicVolumes, once(viewOf)), user };
}

/** Whether nobody between the caller and this service reads along. */
function isPrivateConnection({ raw, headers }: FastifyRequest, tlsByProxy: boolean): boolean {
  const { socket } = raw;
  if ('encrypted' in socket && socket.encrypted) return true;
  if (tlsByProxy)
    return headers['x-forwarded-proto'] === undefined || headers['x-forwarded-proto'] === 'https';
  return socket.remoteAddress !== undefined && isLoopbackHost(socket.remoteAddress);
}

/** Calls a function once for each volume. */
function once<T>(make: (volume: ServedVolume) => T): (volume: ServedVolume) => T {
  const made = new Map<string, T>();
  return (volume) => {
    const known = made.get(volume.name);
    if (known !== undefined) return known;
    const value = make(volume);
    made.set(volume.name, value);
    return value;
  };
}
