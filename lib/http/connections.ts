/** The connections of one HTTP client, direct or through a proxy. Sockets are kept alive until `close()`. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { LookupFunction } from 'node:net';
import { PathError } from '../base/errors.ts';
import { checkHostAllowed, restrictedLookup, type AddressPolicy } from './address.ts';
import { DEFAULT_MAX_BYTES, type Headers, type HttpRequest } from './http-request.ts';
import { exchange, type ExchangeOptions, type ExchangeResult, type RequestSender } from './exchange.ts';
import { redactUrl } from './excerpt.ts';
import type { Hop } from './hop.ts';
import { withProxyReplies, createTunnelAgent } from './proxy-agents.ts';
import { proxyFor, describeProxy, type Proxy } from './proxy.ts';
import { isSecretHeader } from './secret-headers.ts';
import { sendGet, sendToProxy, type Agents } from './send-get.ts';
import type { BodyWork, RemoteExchange, RemoteHandlers } from './remote-exchange.ts';
import { sendWithGot } from './send-with-got.ts';
import type { Cancellation } from './cancellation.ts';

/** Limits of the connections, and the environment variables for proxies. */
export interface ConnectionOptions {
  /** Most sockets per host. Should be a little more than the reads that run at once. @default 48 */
  maxSockets?: number;
  /** Limit for DNS look-up, connection and TLS together. @default 10_000 */
  connectTimeoutMs?: number;
  /** Longest time without a byte. @default 30_000 */
  idleTimeoutMs?: number;
  /** Environment variables that name proxies. @default process.env */
  env?: NodeJS.ProcessEnv;
  /** Other threads, which make exchanges whose bodies need work. @default none */
  remote?: RemoteExchange;
}

/** Most connections to a host, over all threads, unless more requests run at once. */
const MOST_CONNECTIONS = 256;
/** The main thread may always keep this many without a request: it reads infos and the indices of shards. */
const KEPT_SOCKETS = 8;

/** Opens and keeps the connections of one HTTP client. */
export class Connections {
  readonly #agents: (HttpAgent | HttpsAgent)[] = [];
  readonly #connectTimeoutMs: number;
  readonly #idleTimeoutMs: number;
  readonly #env: NodeJS.ProcessEnv;
  readonly #remote: RemoteExchange | undefined;
  readonly #agentOptions: { keepAlive: true; maxSockets: number };
  /**
   * One pool per policy: a socket opened without the address check must not serve a request that needs it.
   */
  readonly #direct: Record<AddressPolicy, RequestSender>;
  /**
   * One sender per proxy URL. A proxy resolves host names itself, so only hosts written as a forbidden
   * address are refused.
   */
  readonly #proxied = new Map<string, Promise<RequestSender>>();
  /** How many exchanges ran in other threads when idle connections were closed last. */
  #mostElsewhere = 0;
  /** Whether nothing was sent in this thread since then. */
  #isSettled = false;
  /** How many exchanges run in this thread. */
  #running = 0;

  constructor({
    maxSockets = 48,
    connectTimeoutMs = 10_000,
    idleTimeoutMs = 30_000,
    env = process.env,
    remote,
  }: ConnectionOptions) {
    this.#connectTimeoutMs = connectTimeoutMs;
    this.#idleTimeoutMs = idleTimeoutMs;
    this.#env = env;
    this.#remote = remote;
    this.#agentOptions = { keepAlive: true, maxSockets };
    const direct = (lookup?: LookupFunction): RequestSender =>
      this.#createSender(this.#createAgents(lookup && { lookup }));
    this.#direct = {
      any: direct(),
      public: direct(restrictedLookup('public')),
      notMetadata: direct(restrictedLookup('notMetadata')),
    };
  }

  /**
   * Prepares a request to one hop. Each call of the returned function sends it once.
   * @throws PathError FORBIDDEN_ADDRESS. The returned function throws PathError INSECURE_TOKEN, the error of
   *   `authorize`, or the reason of the cancellation.
   */
  prepareAttempt(request: HttpRequest, hop: Hop, cancellation: Cancellation): () => Promise<ExchangeResult> {
    const { url, headers, authorize, allowAddress } = hop,
      { method = 'GET', bodyWork } = request;
    const proxy = this.#proxyOf(request, hop),
      options = this.#optionsOf(request, hop, proxy);
    return async () => {
      const credentials = authorize && (await orCancelled(authorize({ method, url, headers }), cancellation));
      const sent = credentials ? { ...options, headers: { ...headers, ...credentials } } : options;
      if (proxy) checkNoSecret(url, sent.headers, proxy);
      else if (bodyWork) {
        const made = await new Promise<ExchangeResult | undefined>((onResult, onCancel) => {
          if (!this.sendElsewhere(sent, bodyWork, cancellation, { onResult, onCancel })) onResult(undefined);
        });
        if (made) return made;
      }
      const send = proxy
        ? await orCancelled(this.#proxySender(proxy), cancellation)
        : this.#direct[allowAddress];
      return this.#exchangeHere(send, sent, cancellation);
    };
  }

  async #exchangeHere(
    send: RequestSender,
    options: ExchangeOptions,
    cancellation: Cancellation,
  ): Promise<ExchangeResult> {
    this.#isSettled = false;
    this.#running++;
    if (this.#remote && this.#running + this.#remote.mostFetching > MOST_CONNECTIONS)
      this.#remote.closeIdle();
    try {
      return await exchange(send, options, cancellation);
    } finally {
      // Other threads may send nothing more, so the connections are not left open until they do.
      if (--this.#running === 0 && this.#remote) setImmediate(() => this.#closeIdleOfBurst()).unref();
    }
  }

  #closeIdleOfBurst(): void {
    if (this.#running === 0 && !this.#isSettled) this.#closeIdle(this.#remote!.mostFetching);
  }

  /**
   * Returns what {@link sendElsewhere} sends; undefined if the request needs credentials or a proxy.
   * @throws PathError FORBIDDEN_ADDRESS.
   */
  prepareElsewhere(request: HttpRequest, hop: Hop): ExchangeOptions | undefined {
    return hop.authorize || this.#proxyOf(request, hop)
      ? undefined
      : this.#optionsOf(request, hop, undefined);
  }

  #proxyOf(request: HttpRequest, { url, allowAddress }: Hop): Proxy | undefined {
    if (allowAddress !== 'any') checkHostAllowed(url.hostname, allowAddress);
    return request.bypassProxy ? undefined : proxyFor(url, this.#env);
  }

  #optionsOf(request: HttpRequest, hop: Hop, proxy: Proxy | undefined): ExchangeOptions {
    return {
      url: hop.url,
      headers: hop.headers,
      allowAddress: hop.allowAddress,
      proxyName: proxy && describeProxy(proxy),
      method: request.method ?? 'GET',
      body: request.body,
      meter: request.meter,
      maxBytes: request.maxBytes ?? DEFAULT_MAX_BYTES,
      connectTimeoutMs: this.#connectTimeoutMs,
      idleTimeoutMs: request.idleTimeoutMs ?? this.#idleTimeoutMs,
    };
  }

  /** Makes one attempt in another thread. @returns False if none makes it: nothing is called then. */
  sendElsewhere(
    options: ExchangeOptions,
    bodyWork: BodyWork,
    cancellation: Cancellation,
    handlers: RemoteHandlers,
  ): boolean {
    const remote = this.#remote;
    if (!remote?.exchange(options, bodyWork, cancellation, handlers)) return false;
    if (!this.#isSettled || remote.mostFetching > this.#mostElsewhere) this.#closeIdle(remote.mostFetching);
    return true;
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  /** Closes connections without a request, as many as are too many with those of other threads. */
  #closeIdle(elsewhere: number): void {
    this.#mostElsewhere = elsewhere;
    let busy = 0;
    for (const { sockets } of this.#agents)
      for (const used of Object.values(sockets)) busy += used?.length ?? 0;
    this.#isSettled = busy === 0;
    const kept = Math.max(KEPT_SOCKETS, MOST_CONNECTIONS - KEPT_SOCKETS - elsewhere - busy);
    for (const { freeSockets } of this.#agents)
      for (const idle of Object.values(freeSockets))
        for (const socket of idle?.slice(kept) ?? []) socket.destroy();
  }

  #createAgents(more?: { lookup: LookupFunction }): { http: HttpAgent; https: HttpsAgent } {
    const agents = {
      http: new HttpAgent({ ...this.#agentOptions, ...more }),
      https: new HttpsAgent({ ...this.#agentOptions, ...more }),
    };
    this.#agents.push(agents.http, agents.https);
    return agents;
  }

  #createSender(agent: Agents): RequestSender {
    const withNode = sendGet(agent),
      withGot = sendWithGot(agent);
    return (outgoing, handlers) =>
      (outgoing.method === 'GET' && !outgoing.body?.byteLength ? withNode : withGot)(outgoing, handlers);
  }

  #proxySender({ url }: Proxy): Promise<RequestSender> {
    const { href } = url;
    let send = this.#proxied.get(href);
    if (!send) {
      send = this.#createProxySender(url);
      this.#proxied.set(href, send);
      send.catch(() => this.#proxied.delete(href)); // the next request retries
    }
    return send;
  }

  async #createProxySender(proxy: URL): Promise<RequestSender> {
    const tunnels = await createTunnelAgent(proxy, {
      ...this.#agentOptions,
      connectTimeoutMs: this.#connectTimeoutMs,
    });
    this.#agents.push(tunnels);
    const tunnelled = this.#createSender({ http: tunnels, https: tunnels }),
      plain = sendToProxy(proxy, this.#createAgents());
    return withProxyReplies((outgoing, handlers) =>
      (outgoing.url.protocol === 'https:' ? tunnelled : plain)(outgoing, handlers),
    );
  }
}

/**
 * Refuses to show credentials to a proxy, which can read every request to `http://`.
 * @throws PathError INSECURE_TOKEN.
 */
function checkNoSecret(url: URL, headers: Headers, proxy: Proxy): void {
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

/** Follows `work`, but rejects at once when the request is cancelled. The work itself continues. */
const orCancelled = <T>(work: Promise<T>, cancellation: Cancellation): Promise<T> =>
  new Promise((resolve, reject) => {
    cancellation.onCancel(reject);
    work.finally(() => cancellation.clear()).then(resolve, reject);
  });
