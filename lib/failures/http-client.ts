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
import { Cancellation } from '../http/cancellation.ts';
import { acceptedRetryAfterMs } from './retry-delay.ts';
import { processPace, type Pace } from './pace.ts';
import type { ServerFeedback } from './throttle.ts';
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

  async function sendWithRetries(
    httpRequest: HttpRequest,
    hop: Hop,
    cancellation: Cancellation,
  ): Promise<HttpReply> {
    const attempt = connections.prepareAttempt(httpRequest, hop, cancellation);
    if (!(httpRequest.retry ?? isReadMethod(httpRequest.method))) return replyOf(await attempt());
    const { host } = hop.url,
      onRetry = observe && retryObserver(host, observe);
    const counter = new RetryCounter({ retries, backoffMs, onRetry });
    for (;;) {
      const result = await sendAtPace(host, attempt, cancellation);
      if ('reply' in result && result.reply.status < 400) return result.reply;
      const delayMs = counter.nextDelayMs(...decide(result));
      if (delayMs === undefined) return replyOf(result);
      await pause(delayMs, cancellation.signal);
    }
  }

  /** Makes one attempt when the pace of the host allows it, and reports the result to the pace. */
  async function sendAtPace(
    host: string,
    attempt: () => Promise<ExchangeResult>,
    cancellation: Cancellation,
  ): Promise<ExchangeResult> {
    const slot = pace.take(host, cancellation);
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

  async function request(httpRequest: HttpRequest): Promise<HttpReply> {
    const { signal, stop, method, followRedirects = true } = httpRequest;
    stop?.throwIfStopped();
    signal?.throwIfAborted();
    const first = firstHop(httpRequest),
      { url } = first;
    if (closed) throw closedError(url);
    const cancellation = new Cancellation();
    const release = stop
      ? stop.onStop((reason) => cancellation.cancel(reason))
      : signal && onAbort(signal, () => cancellation.cancel(signal.reason));
    inFlight.set(cancellation, url);
    try {
      const sendHop = (hop: Hop): Promise<HttpReply> => sendWithRetries(httpRequest, hop, cancellation);
      return await (followRedirects && isReadMethod(method)
        ? sendFollowingRedirects(first, sendHop)
        : sendHop(first));
    } finally {
      inFlight.delete(cancellation);
      release?.();
    }
  }

  function close(): void {
    closed = true;
    for (const [cancellation, url] of inFlight) cancellation.cancel(closedError(url));
    connections.close();
  }

  return { request, close };
}

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
