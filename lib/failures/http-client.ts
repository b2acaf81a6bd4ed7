/** The HTTP client: sends requests at the pace of each host and retries temporary failures. */
import { onAbort, pause } from '../base/abort.ts';
import { RequestError } from '../base/errors.ts';
import { retryObserver, type Observer } from '../base/volume-events.ts';
import type { HttpClient, HttpReply, HttpRequest } from '../http/http-request.ts';
import { Connections, type ConnectionOptions } from '../http/connections.ts';
import { isReadMethod, type ExchangeResult } from '../http/exchange.ts';
import { redactUrl } from '../http/excerpt.ts';
import { firstHop, type Hop } from '../http/hop.ts';
import { sendFollowingRedirects } from '../http/redirect.ts';
import type { RemoteHandlers } from '../http/remote-exchange.ts';
import { Cancellation } from '../http/cancellation.ts';
import { acceptedRetryAfterMs } from './retry-delay.ts';
import { processPace, type Pace } from './pace.ts';
import type { ReleaseSlot, ServerFeedback } from './throttle.ts';
import { RetryCounter, type RetryOptions } from './retry-counter.ts';
import { isBusyStatus, decideByError, decideByStatus } from './retry-decision.ts';

/** Options of {@link createHttpClient}. */
export interface HttpClientOptions extends ConnectionOptions, Omit<RetryOptions, 'random' | 'onRetry'> {
  /** Called before each retry. */
  observe?: Observer;
  /** @default The pace that all clients of the process share. */
  pace?: Pace;
}

/** Creates a client. Each volume has its own, and its sockets are kept alive until `close()`. */
export function createHttpClient({
  retries,
  backoffMs,
  pace = processPace,
  observe,
  ...options
}: HttpClientOptions = {}): HttpClient {
  const connections = new Connections(options);
  const inFlight = new Map<Cancellation, URL>();
  let closed = false;

  /** @param made What the first attempt has come to, if it was made elsewhere. */
  async function sendWithRetries(
    httpRequest: HttpRequest,
    hop: Hop,
    cancellation: Cancellation,
    made?: FirstAttempt,
  ): Promise<HttpReply> {
    const attempt = connections.prepareAttempt(httpRequest, hop, cancellation);
    if (!(httpRequest.retry ?? isReadMethod(httpRequest.method))) return replyOf(await attempt());
    const { host } = hop.url,
      onRetry = observe && retryObserver(host, observe);
    const counter = new RetryCounter({ retries, backoffMs, onRetry });
    for (let first = made; ; first = undefined) {
      const result = first?.result ?? (await sendAtPace(host, attempt, cancellation, first?.slot));
      if ('reply' in result && result.reply.status < 400) return result.reply;
      const delayMs = counter.nextDelayMs(...decide(result));
      if (delayMs === undefined) return replyOf(result);
      await pause(delayMs, cancellation.signal);
    }
  }

  /**
   * Makes one attempt when the pace of the host allows it, and reports the result to the pace.
   * @param slot The slot for it, if one was taken.
   */
  async function sendAtPace(
    host: string,
    attempt: () => Promise<ExchangeResult>,
    cancellation: Cancellation,
    slot = pace.take(host, cancellation),
  ): Promise<ExchangeResult> {
    const release = typeof slot === 'function' ? slot : await slot;
    let feedback: ServerFeedback = { busy: false, answered: false };
    try {
      const result = await attempt();
      feedback = feedbackOf(result);
      return result;
    } finally {
      release(feedback);
    }
  }

  /** Notes a request that begins. @throws What ends it before it begins. */
  function begin(httpRequest: HttpRequest): RunningRequest {
    const { signal, stop } = httpRequest;
    stop?.throwIfStopped();
    signal?.throwIfAborted();
    const first = firstHop(httpRequest);
    if (closed) throw closedError(first.url);
    const cancellation = new Cancellation();
    const release = stop
      ? stop.onStop((reason) => cancellation.cancel(reason))
      : signal && onAbort(signal, () => cancellation.cancel(signal.reason));
    inFlight.set(cancellation, first.url);
    return { httpRequest, first, cancellation, release };
  }

  function end({ cancellation, release }: RunningRequest): void {
    inFlight.delete(cancellation);
    release?.();
  }

  /** Sends a request with all that it may need: redirects, credentials, a proxy, retries. */
  async function send(running: RunningRequest, made?: FirstAttempt): Promise<HttpReply> {
    const { httpRequest, first, cancellation } = running;
    try {
      const sendHop = (hop: Hop): Promise<HttpReply> =>
        sendWithRetries(httpRequest, hop, cancellation, hop === first ? made : undefined);
      return await (httpRequest.followRedirects !== false && isReadMethod(httpRequest.method)
        ? sendFollowingRedirects(first, sendHop)
        : sendHop(first));
    } finally {
      end(running);
    }
  }

  /**
   * Makes the first attempt in another thread. If it succeeds, as nearly all do, nothing else is needed.
   * Otherwise {@link send} goes on with what it has come to.
   */
  function sendElsewhere(
    running: RunningRequest,
    resolve: (reply: HttpReply | Promise<HttpReply>) => void,
  ): void {
    const { httpRequest, first, cancellation } = running,
      sent = connections.prepareElsewhere(httpRequest, first);
    if (!sent) return resolve(send(running));
    const slot = pace.take(first.url.host, cancellation);
    if (typeof slot !== 'function') return resolve(send(running, { slot }));
    const handlers: RemoteHandlers = {
      onResult(result) {
        if (!result)
          return resolve(
            send({ ...running, httpRequest: { ...httpRequest, bodyWork: undefined } }, { slot }),
          );
        slot(feedbackOf(result));
        if (!('reply' in result) || result.reply.status >= 300) return resolve(send(running, { result }));
        end(running);
        resolve(result.reply);
      },
      onCancel(reason) {
        slot(NO_FEEDBACK);
        end(running);
        resolve(Promise.reject(reason));
      },
    };
    if (!connections.sendElsewhere(sent, httpRequest.bodyWork!, cancellation, handlers))
      resolve(send(running, { slot }));
  }

  function request(httpRequest: HttpRequest): Promise<HttpReply> {
    return new Promise((resolve) => {
      const running = begin(httpRequest);
      if (!options.remote || !httpRequest.bodyWork || httpRequest.retry === false)
        return resolve(send(running));
      try {
        sendElsewhere(running, resolve);
      } catch (error) {
        end(running);
        throw error;
      }
    });
  }

  function close(): void {
    closed = true;
    for (const [cancellation, url] of inFlight) cancellation.cancel(closedError(url));
    connections.close();
  }

  return { request, close };
}

/** A request in flight. */
interface RunningRequest {
  readonly httpRequest: HttpRequest;
  readonly first: Hop;
  readonly cancellation: Cancellation;
  readonly release: (() => void) | undefined;
}

/** A first attempt: its result, or the slot in which it may be made. */
type FirstAttempt =
  | { readonly result: ExchangeResult; readonly slot?: undefined }
  | { readonly slot: ReleaseSlot | Promise<ReleaseSlot>; readonly result?: undefined };

const NO_FEEDBACK: ServerFeedback = { busy: false, answered: false };

/** Returns the reply of an exchange. @throws The error of an exchange without a reply. */
function replyOf(result: ExchangeResult): HttpReply {
  if ('reply' in result) return result.reply;
  throw result.error;
}

function decide(result: ExchangeResult): Parameters<RetryCounter['nextDelayMs']> {
  if ('reply' in result)
    return [decideByStatus('reads', result.reply.status), result.reply.headers['retry-after']];
  const { error, proxyStatus } = result;
  return [proxyStatus === undefined ? decideByError('reads', error) : decideByStatus('reads', proxyStatus)];
}

function feedbackOf(result: ExchangeResult): ServerFeedback {
  if (!('reply' in result))
    return result.ranOutOfDescriptors
      ? { busy: true, answered: false, retryAfterMs: 0 }
      : { busy: false, answered: false };
  const { status, headers } = result.reply,
    busy = isBusyStatus(status);
  return {
    busy,
    answered: !busy,
    retryAfterMs: busy ? acceptedRetryAfterMs(headers['retry-after'], Date.now()) : undefined,
  };
}

const closedError = (url: URL): RequestError =>
  new RequestError('CONNECTION', `${redactUrl(url)}: the client was closed`, redactUrl(url));
