import { RequestError } from '../base/errors.ts';
import { isLoopbackHost } from '../base/public-address.ts';
import type { HttpReply } from './exchange.ts';
import { redactUrl } from './excerpt.ts';
import type { Hop } from './hop.ts';
import { CROSS_ORIGIN_HEADERS, type Headers } from './secret-headers.ts';

const MAX_REDIRECTS = 3;

/** The reply at the end of a GET's or HEAD's way. @throws RequestError REDIRECT. */
export async function sendFollowingRedirects(
  first: Hop,
  ask: (hop: Hop) => Promise<HttpReply>,
): Promise<HttpReply> {
  let hop = first;
  for (let redirects = 0; ; redirects++) {
    const reply = await ask(hop);
    const { location } = reply.headers;
    if (!isRedirect(reply.status) || location === undefined) return reply;
    const { origin, hostname } = hop.url,
      from = redactUrl(hop.url);
    if (redirects === MAX_REDIRECTS)
      throw new RequestError('REDIRECT', `${from}: more than ${MAX_REDIRECTS} redirects`, from, reply.status);
    const { url, headers } = redirectTarget(hop.url, location, hop.headers);
    hop = {
      url,
      headers,
      authorize: url.origin === origin ? hop.authorize : undefined, // for good, even if the way leads back
      // The user named the first host, and no other.
      allowAddress:
        url.hostname !== hostname && hop.allowAddress === 'any' ? 'notMetadata' : hop.allowAddress,
    };
  }
}

/** 304 and 300 are no redirects in this sense. */
const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/**
 * Where a redirected GET goes next and with which headers (lower-case names): credentials never leave the origin
 * (scheme, host and port), and TLS is never given up but towards this machine.
 * @throws RequestError REDIRECT
 */
export function redirectTarget(
  from: URL,
  location: string,
  headers: Headers,
): { url: URL; headers: Headers } {
  const refuse = (why: string): RequestError =>
    new RequestError(
      'REDIRECT',
      `${redactUrl(from)} redirects to ${redactUrl(location)}: ${why}`,
      redactUrl(from),
    );
  if (!URL.canParse(location, from.href)) throw refuse('not a URL');
  const url = new URL(location, from.href);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refuse('neither http nor https');
  if (from.protocol === 'https:' && url.protocol === 'http:' && !isLoopbackHost(url.hostname))
    throw refuse('from https to http');
  if (url.origin === from.origin) {
    url.username = from.username;
    url.password = from.password;
    return { url, headers };
  }
  url.username = url.password = '';
  return {
    url,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => CROSS_ORIGIN_HEADERS.has(name))),
  };
}
