/** Another server than Google's or Amazon's, as the user names it. */
import { PathError } from '../base/errors.ts';
import { isLoopbackHost } from '../base/public-address.ts';
import { redactUrl } from '../http/excerpt.ts';

/**
 * The server that the user named, without a slash at its end.
 * @throws PathError BAD_PATH.
 */
export function parseEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username || url.password)
    throw new PathError('BAD_PATH', `endpoint ${redactUrl(endpoint)} is not http(s)://HOST[:PORT][/PATH]`);
  return url;
}

/** Credentials go nowhere else. */
export const isSafeForCredentials = (url: URL): boolean =>
  url.protocol === 'https:' || isLoopbackHost(url.hostname);
