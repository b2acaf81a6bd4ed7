/** Redirects of GET and HEAD requests: where they may lead, and which headers may follow. */
import { RequestError } from '../base/errors.ts';
import { isLoopbackHost } from '../base/public-address.ts';
import type { HttpReply } from './exchange.ts';
import { redactUrl } from './excerpt.ts';
import type { Hop } from './hop.ts';
import { CROSS_ORIGIN_HEADERS, type Headers } from './secret-headers.ts';

const MAX_REDIRECTS = 3;

/** Sends a GET or HEAD and follows its redirects. Returns the last reply. @throws RequestError REDIRECT. */
export async function sendFollowingRedirects(
  first: Hop,
  send: (hop: Hop) => Promise<HttpReply>,
): Promise<HttpReply> {
  let hop = first;
  for (let redirects = 0; ; redirects++) {
    const reply = await send(hop);
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
      authorize: url.origin === origin ? hop.authorize : undefined, // never again, even if a later redirect leads back
      // The user named only the first host.
      allowAddress:
        url.hostname !== hostname && hop.allowAddress === 'any' ? 'notMetadata' : hop.allowAddress,
    };
  }
}

/** 300 and 304 are not among them: they do not send the client to another URL. */
const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

/**
 * Returns the next URL of a redirected request and the headers (lower-case names) to send there. Credentials
 * never leave the origin (scheme, host and port). A redirect from https to http is followed only to loopback.
 * @throws RequestError REDIRECT
 */
export function redirectTarget(
  from: URL,
  location: string,
  headers: Headers,
): { url: URL; headers: Headers } {
  const redirectError = (reason: string): RequestError =>
    new RequestError(
      'REDIRECT',
      `${redactUrl(from)} redirects to ${redactUrl(location)}: ${reason}`,
      redactUrl(from),
    );
  if (!URL.canParse(location, from.href)) throw redirectError('not a URL');
  const url = new URL(location, from.href);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw redirectError('neither http nor https');
  if (from.protocol === 'https:' && url.protocol === 'http:' && !isLoopbackHost(url.hostname))
    throw redirectError('from https to http');
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
