import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { onAbort } from '../base/abort.ts';
import { PathError, RequestError } from '../base/errors.ts';
import type { LookupFunction } from 'node:net';
import { checkHost, lookupAllowed, type AllowAddress } from './address.ts';
import {
  exchange,
  isMethod,
  onlyReads,
  type HttpReply,
  type Method,
  type Outcome,
  type Send,
} from './exchange.ts';
import type { HttpMeter } from './meter.ts';
import { isRedirect, redirectTarget } from './redirect.ts';
import { redactUrl } from './excerpt.ts';
import { sentByProxy, tunnelAgent } from './proxy-agents.ts';
import { proxyFor, shownProxy, type Proxy } from './proxy.ts';
import { isSecretHeader, type Headers } from './secret-headers.ts';
import { askedDelayMs, delayBeforeRetry, type Failure } from './retry.ts';
import { sendGet, sendToProxy, type Agents } from './send-get.ts';
import { loadGot, sendWithGot } from './send-with-got.ts';
import { Stopper } from './stopper.ts';
import { Throttle, type Experience } from './throttle.ts';
import { USER_AGENT } from './user-agent.ts';

export { isMethod };
export type { AllowAddress, Headers, HttpReply };

export interface HttpClientOptions {
  /** Sockets per host; a little above the reads that run at a time. @default 48 */
  maxSockets?: number;
  /** Most repeats of one request. @default 4 */
  retries?: number;
  /** First pause before a repeat, of which half is random; each further one is twice as long, up to 20 s. @default 200 */
  backoffMs?: number;
  /** For name look-up, connection and TLS together. @default 10_000 */
  connectTimeoutMs?: number;
  /** Longest silence of a connection. @default 30_000 */
  idleTimeoutMs?: number;
  /** Names proxies. @default process.env */
  env?: NodeJS.ProcessEnv;
}

export type Authorize = (request: { method: string; url: URL; headers: Headers }) => Promise<Headers>;

export interface HttpRequest {
  url: string | URL;
  /** @default 'GET' */
  method?: Method;
  /** `accept-encoding` is `gzip, br, zstd` unless given; bodies always come back as sent. */
  headers?: Headers;
  /**
   * Makes the headers that prove who asks (lower-case names), anew for every attempt: signatures and tokens age while a request waits.
   * Asked no more once a redirect has left the origin. What it throws ends the request as it is.
   */
  authorize?: Authorize;
  /** For POST, and for servers that want one with a GET. */
  body?: Uint8Array;
  /** Bytes `start` (inclusive) to `end` (exclusive). The reply says what came: 206, or 200 with everything. */
  range?: { start: number; end: number };
  signal?: AbortSignal;
  /** A longer body is RequestError TOO_LARGE. @default 64 MiB */
  maxBytes?: number;
  meter?: HttpMeter;
  /** @default the client's */
  idleTimeoutMs?: number;
  /** Whether failures that may pass are tried again. @default true for GET and HEAD */
  retry?: boolean;
  /** Up to 3, for GET and HEAD; otherwise a redirect is a reply. @default true */
  followRedirects?: boolean;
  /** @default 'any' */
  allowAddress?: AllowAddress;
  /** Whether no proxy is used, whatever the environment says. @default false */
  straight?: boolean;
}

export interface HttpClient {
  /**
   * The server's answer, whatever its status, after the retries worth making.
   * @throws RequestError TIMEOUT, CONNECTION, TOO_LARGE, REDIRECT; PathError FORBIDDEN_ADDRESS; `signal.reason`.
   */
  request(request: HttpRequest): Promise<HttpReply>;
  /** Ends requests under way with RequestError CONNECTION and closes all sockets. */
  close(): void;
}

export const DEFAULT_MAX_BYTES = 64 * 1024 * 1024;
const MAX_REDIRECTS = 3;

/** One client per volume: its sockets are kept alive until `close()`. */
export function createHttpClient({
  maxSockets = 48,
  retries = 4,
  backoffMs = 200,
  connectTimeoutMs = 10_000,
  idleTimeoutMs = 30_000,
  env = process.env,
}: HttpClientOptions = {}): HttpClient {
  const agents: (HttpAgent | HttpsAgent)[] = [];
  const underWay = new Map<Stopper, URL>();
  /** By host. */
  const throttles = new Map<string, Throttle>();
  let closed = false;

  const direct = (lookup?: LookupFunction): Send => {
    const options = { keepAlive: true, maxSockets, ...(lookup && { lookup }) };
    return sender({ http: new HttpAgent(options), https: new HttpsAgent(options) });
  };
  const sender = (agent: Agents): Send => {
    agents.push(agent.http, agent.https);
    const get = sendGet(agent),
      any = sendWithGot(agent);
    return (outgoing, wire) =>
      (outgoing.method === 'GET' && !outgoing.body?.byteLength ? get : any)(outgoing, wire);
  };
  // A pool each: a socket opened without the check must not serve a request that wants it.
  const senders: Record<AllowAddress, Send> = {
    any: direct(),
    public: direct(lookupAllowed('public')),
    notMetadata: direct(lookupAllowed('notMetadata')),
  };

  /** What a proxy resolves is its own affair: of hosts behind one, only those are refused that are forbidden as they stand. */
  const proxied = new Map<string, Promise<Send>>();
  function through({ url }: Proxy): Promise<Send> {
    const { href } = url;
    let send = proxied.get(href);
    if (!send) {
      send = senderThrough(url);
      proxied.set(href, send);
      send.catch(() => proxied.delete(href)); // whoever asks next tries again
    }
    return send;
  }

  async function senderThrough(proxy: URL): Promise<Send> {
    const agent = {
      http: new HttpAgent({ keepAlive: true, maxSockets }),
      https: new HttpsAgent({ keepAlive: true, maxSockets }),
    };
    const tunnels = await tunnelAgent(proxy, { keepAlive: true, maxSockets, connectTimeoutMs });
    const tunnelled = sender({ http: tunnels, https: tunnels }),
      plain = sendToProxy(proxy, agent);
    agents.push(agent.http, agent.https);
    return sentByProxy((outgoing, wire) =>
      (outgoing.url.protocol === 'https:' ? tunnelled : plain)(outgoing, wire),
    );
  }

  function throttleOf(host: string): Throttle {
    let throttle = throttles.get(host);
    if (!throttle) throttles.set(host, (throttle = new Throttle()));
    return throttle;
  }

  async function attempts(
    request: HttpRequest,
    url: URL,
    headers: Headers,
    authorize: Authorize | undefined,
    allowAddress: AllowAddress,
    stopper: Stopper,
  ): Promise<HttpReply> {
    const { method = 'GET', body, meter, maxBytes = DEFAULT_MAX_BYTES } = request;
    if (allowAddress !== 'any') checkHost(url.hostname, allowAddress);
    const proxy = request.straight ? undefined : proxyFor(url, env);
    const asked = {
      url,
      allowAddress,
      via: proxy && shownProxy(proxy),
      method,
      body,
      meter,
      maxBytes,
      connectTimeoutMs,
      idleTimeoutMs: request.idleTimeoutMs ?? idleTimeoutMs,
    };
    const isRepeated = request.retry ?? onlyReads(method);
    const count = { made: 0, idle: 0, retries: isRepeated ? retries : 0, backoffMs };
    const attempt = async (): Promise<Outcome> => {
      const proof = authorize && (await untilStopped(authorize({ method, url, headers }), stopper));
      const all = { ...headers, ...proof };
      if (proxy) checkSecret(url, all, proxy);
      const send = proxy ? await untilStopped(through(proxy), stopper) : senders[allowAddress];
      return exchange(send, { ...asked, headers: all }, stopper);
    };
    for (;;) {
      // Whoever repeats requests by other rules also knows how many to send.
      const outcome = await (isRepeated
        ? throttleOf(url.host).run(attempt, experienceOf, stopper)
        : attempt());
      if ('reply' in outcome && outcome.reply.status < 400) return outcome.reply;
      const failure = failureOf(outcome);
      count.made++;
      if (failure.kind === 'idle') count.idle++;
      const delayMs = delayBeforeRetry(failure, count, Math.random(), Date.now());
      if (delayMs !== undefined) await pause(delayMs, stopper);
      else if ('reply' in outcome) return outcome.reply;
      else throw outcome.error;
    }
  }

  async function request(asked: HttpRequest): Promise<HttpReply> {
    const { signal, range, method = 'GET', followRedirects = true } = asked;
    signal?.throwIfAborted();
    let url = parseUrl(asked.url);
    if (closed) throw closedError(url);
    let headers: Headers = {
      'user-agent': USER_AGENT,
      'accept-encoding': 'gzip, br, zstd',
      ...lowerCased(asked.headers),
    };
    let { authorize, allowAddress = 'any' } = asked;
    if (range) headers = { ...headers, range: `bytes=${range.start}-${range.end - 1}` };

    const stopper = new Stopper();
    const release = signal && onAbort(signal, () => stopper.stop(signal.reason));
    underWay.set(stopper, url);
    try {
      for (let redirects = 0; ; redirects++) {
        const reply = await attempts(asked, url, headers, authorize, allowAddress, stopper);
        const { location } = reply.headers;
        if (!followRedirects || !onlyReads(method) || !isRedirect(reply.status) || location === undefined)
          return reply;
        if (redirects === MAX_REDIRECTS)
          throw new RequestError(
            'REDIRECT',
            `${redactUrl(url)}: more than ${MAX_REDIRECTS} redirects`,
            redactUrl(url),
            reply.status,
          );
        const { origin, hostname } = url;
        ({ url, headers } = redirectTarget(url, location, headers));
        if (url.origin !== origin) authorize = undefined; // for good, even if the way leads back
        // The user named the first host, and no other.
        if (url.hostname !== hostname && allowAddress === 'any') allowAddress = 'notMetadata';
      }
    } finally {
      underWay.delete(stopper);
      release?.();
    }
  }

  function close(): void {
    closed = true;
    for (const [stopper, url] of underWay) stopper.stop(closedError(url));
    for (const agent of agents) agent.destroy();
  }

  return { request, close };
}

/**
 * Loads what requests with a body are sent by. Without it that is done with the first one.
 * @throws the error of the file system.
 */
export const prepareBodies = async (): Promise<void> => void (await loadGot());

/** A proxy reads what is sent to `http://`. @throws PathError INSECURE_TOKEN. */
function checkSecret(url: URL, headers: Headers, proxy: Proxy): void {
  if (
    url.protocol !== 'http:' ||
    (url.username === '' && url.password === '' && !Object.keys(headers).some(isSecretHeader))
  )
    return;
  throw new PathError(
    'INSECURE_TOKEN',
    `credentials for ${redactUrl(url)} would be shown to the proxy ${shownProxy(proxy)}: use https://, or name the host in no_proxy`,
  );
}

const failureOf = (outcome: Outcome): Failure =>
  'reply' in outcome
    ? { kind: 'status', status: outcome.reply.status, retryAfter: outcome.reply.headers['retry-after'] }
    : outcome.failure;

function experienceOf(outcome: Outcome): Experience {
  const { status, retryAfter, isShort = false } = failureOf(outcome);
  const busy = status === 429 || status === 503 || isShort;
  return {
    busy,
    answered: status !== undefined && !busy,
    aloneMs: busy ? askedDelayMs(retryAfter, Date.now()) : undefined,
  };
}

const closedError = (url: URL): RequestError =>
  new RequestError('CONNECTION', `${redactUrl(url)}: the client was closed`, redactUrl(url));

const pause = (ms: number, stopper: Stopper): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stopper.idle();
      resolve();
    }, ms);
    stopper.onStop((reason) => {
      clearTimeout(timer);
      reject(reason);
    });
  });

/** What comes of `work`, or the stop's reason at once; the work itself goes on. */
const untilStopped = <T>(work: Promise<T>, stopper: Stopper): Promise<T> =>
  new Promise((resolve, reject) => {
    stopper.onStop(reject);
    work.finally(() => stopper.idle()).then(resolve, reject);
  });

function parseUrl(url: string | URL): URL {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new PathError('BAD_PATH', `${redactUrl(url)} is not a URL`);
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')
    throw new PathError('UNSUPPORTED_SCHEME', `${redactUrl(parsed)} is neither http nor https`);
  return parsed;
}

const lowerCased = (headers: Headers = {}): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
