/** The connections of one client: one attempt of one request, straight or through a proxy. Sockets are kept alive until `close()`. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { PathError } from '../base/errors.ts';
import { checkHostAllowed, restrictedLookup, type AddressPolicy } from './address.ts';
import { DEFAULT_MAX_BYTES, type Headers, type HttpRequest } from './http-request.ts';
import { exchange, type ExchangeResult, type RequestSender } from './exchange.ts';
import { redactUrl } from './excerpt.ts';
import type { Hop } from './hop.ts';
import { withProxyReplies, createTunnelAgent } from './proxy-agents.ts';
import { proxyFor, describeProxy, type Proxy } from './proxy.ts';
import { isSecretHeader } from './secret-headers.ts';
import { sendGet, sendToProxy, type Agents } from './send-get.ts';
import { sendWithGot } from './send-with-got.ts';
import type { Cancellation } from './cancellation.ts';

export interface ConnectionOptions {
  /** Sockets per host; a little above the reads that run at a time. @default 48 */
  maxSockets?: number;
  /** For name look-up, connection and TLS together. @default 10_000 */
  connectTimeoutMs?: number;
  /** Longest silence of a connection. @default 30_000 */
  idleTimeoutMs?: number;
  /** Names proxies. @default process.env */
  env?: NodeJS.ProcessEnv;
}

export class Connections {
  readonly #agents: (HttpAgent | HttpsAgent)[] = [];
  readonly #connectTimeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #env: NodeJS.ProcessEnv;
  readonly #kept: { keepAlive: true; maxSockets: number };
  /** A pool each: a socket opened without the check must not serve a request that wants it. */
  readonly #direct: Record<AddressPolicy, RequestSender>;
  /** What a proxy resolves is its own affair: of hosts behind one, only those are refused that are forbidden as they stand. */
  readonly #proxied = new Map<string, Promise<RequestSender>>();

  constructor({
    maxSockets = 48,
    connectTimeoutMs = 10_000,
    idleTimeoutMs = 30_000,
    env = process.env,
  }: ConnectionOptions) {
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#env = env;
    this.#kept = { keepAlive: true, maxSockets };
    const direct = (lookup?: LookupFunction): RequestSender =>
      this.#sender(this.#pools(lookup && { lookup }));
    this.#direct = {
      any: direct(),
      public: direct(restrictedLookup('public')),
      notMetadata: direct(restrictedLookup('notMetadata')),
    };
  }

  /**
   * What makes one attempt of a request at one place of its way.
   * @throws PathError FORBIDDEN_ADDRESS; by the attempt: PathError INSECURE_TOKEN, what `authorize` throws, the stop's reason.
   */
  prepareAttempt(request: HttpRequest, hop: Hop, stopper: Cancellation): () => Promise<ExchangeResult> {
    const { url, headers, authorize, allowAddress } = hop;
    const { method = 'GET', body, meter, maxBytes = DEFAULT_MAX_BYTES } = request;
    if (allowAddress !== 'any') checkHostAllowed(url.hostname, allowAddress);
    const proxy = request.bypassProxy ? undefined : proxyFor(url, this.#env);
    const asked = {
      url,
      allowAddress,
      via: proxy && describeProxy(proxy),
      method,
      body,
      meter,
      maxBytes,
      connectTimeoutMs: this.#connectTimeoutMs,
      idleTimeoutMs: request.idleTimeoutMs ?? this.#idleTimeoutMs,
    };
    return async () => {
      const proof = authorize && (await untilStopped(authorize({ method, url, headers }), stopper));
      const all = { ...headers, ...proof };
      if (proxy) checkSecret(url, all, proxy);
      const send = proxy ? await untilStopped(this.#through(proxy), stopper) : this.#direct[allowAddress];
      return exchange(send, { ...asked, headers: all }, stopper);
    };
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  #pools(more?: { lookup: LookupFunction }): { http: HttpAgent; https: HttpsAgent } {
    const agents = {
      http: new HttpAgent({ ...this.#kept, ...more }),
      https: new HttpsAgent({ ...this.#kept, ...more }),
    };
    this.#agents.push(agents.http, agents.https);
    return agents;
  }

  #sender(agent: Agents): RequestSender {
    const get = sendGet(agent),
      any = sendWithGot(agent);
    return (outgoing, wire) =>
      (outgoing.method === 'GET' && !outgoing.body?.byteLength ? get : any)(outgoing, wire);
  }

  #through({ url }: Proxy): Promise<RequestSender> {
    const { href } = url;
    let send = this.#proxied.get(href);
    if (!send) {
      send = this.#senderThrough(url);
      this.#proxied.set(href, send);
      send.catch(() => this.#proxied.delete(href)); // whoever asks next tries again
    }
    return send;
  }

  async #senderThrough(proxy: URL): Promise<RequestSender> {
    const tunnels = await createTunnelAgent(proxy, {
      ...this.#kept,
      connectTimeoutMs: this.#connectTimeoutMs,
    });
    this.#agents.push(tunnels);
    const tunnelled = this.#sender({ http: tunnels, https: tunnels }),
      plain = sendToProxy(proxy, this.#pools());
    return withProxyReplies((outgoing, wire) =>
      (outgoing.url.protocol === 'https:' ? tunnelled : plain)(outgoing, wire),
    );
  }
}

/** A proxy reads what is sent to `http://`. @throws PathError INSECURE_TOKEN. */
function checkSecret(url: URL, headers: Headers, proxy: Proxy): void {
  if (
    url.protocol !== 'http:' ||
    (url.username === '' && url.password === '' && !Object.keys(headers).some(isSecretHeader))
  )
    return;
  throw new PathError(
    'INSECURE_TOKEN',
    `credentials for ${redactUrl(url)} would be shown to the proxy ${describeProxy(proxy)}: use https://, or name the host in no_proxy`,
  );
}

/** What comes of `work`, or the stop's reason at once; the work itself goes on. */
const untilStopped = <T>(work: Promise<T>, stopper: Cancellation): Promise<T> =>
  new Promise((resolve, reject) => {
    stopper.onCancel(reject);
    work.finally(() => stopper.clear()).then(resolve, reject);
  });
