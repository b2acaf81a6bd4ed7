/** An HTTP client that tries again what may pass, at the pace of each host. */
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

export interface HttpClientOptions extends ConnectionOptions, Omit<RetryOptions, 'random' | 'onRetry'> {
  /** Told of each retry. */
  observe?: Observer;
  /** @default the process's */
  pace?: Pace;
}

/** One client per volume: its sockets are kept alive until `close()`. */
export function createHttpClient({
  retries,
  backoffMs,
  pace = processPace,
  observe,
  ...options
}: HttpClientOptions = {}): HttpClient {
  const connections = new Connections(options);
  const underWay = new Map<Cancellation, URL>();
  let closed = false;

  async function insist(asked: HttpRequest, hop: Hop, stopper: Cancellation): Promise<HttpReply> {
    const attempt = connections.prepareAttempt(asked, hop, stopper);
    if (!(asked.retry ?? isReadMethod(asked.method))) return settled(await attempt());
    const { host } = hop.url,
      onRetry = observe && retryObserver(host, observe);
    const tries = new RetryCounter({ retries, backoffMs, onRetry });
    for (;;) {
      const outcome = await inTurn(host, attempt, stopper);
      if ('reply' in outcome && outcome.reply.status < 400) return outcome.reply;
      const delayMs = tries.nextDelayMs(...judged(outcome));
      if (delayMs === undefined) return settled(outcome);
      await pause(delayMs, stopper.signal);
    }
  }

  /** Whoever repeats requests by other rules also knows how many to send: theirs take no turn. */
  async function inTurn(
    host: string,
    attempt: () => Promise<ExchangeResult>,
    stopper: Cancellation,
  ): Promise<ExchangeResult> {
    const taken = pace.take(host, stopper);
    const end = typeof taken === 'function' ? taken : await taken;
    let seen: ServerFeedback = { busy: false, answered: false };
    try {
      const outcome = await attempt();
      seen = experienceOf(outcome);
      return outcome;
    } finally {
      end(seen);
    }
  }

  async function request(asked: HttpRequest): Promise<HttpReply> {
    const { signal, method, followRedirects = true } = asked;
    signal?.throwIfAborted();
    const first = firstHop(asked),
      { url } = first;
    if (closed) throw closedError(url);
    const stopper = new Cancellation();
    const release = signal && onAbort(signal, () => stopper.cancel(signal.reason));
    underWay.set(stopper, url);
    try {
      const ask = (hop: Hop): Promise<HttpReply> => insist(asked, hop, stopper);
      return await (followRedirects && isReadMethod(method)
        ? sendFollowingRedirects(first, ask)
        : ask(first));
    } finally {
      underWay.delete(stopper);
      release?.();
    }
  }

  function close(): void {
    closed = true;
    for (const [stopper, url] of underWay) stopper.cancel(closedError(url));
    connections.close();
  }

  return { request, close };
}

/** @throws the error of an exchange that had no reply. */
function settled(outcome: ExchangeResult): HttpReply {
  if ('reply' in outcome) return outcome.reply;
  throw outcome.error;
}

function judged(outcome: ExchangeResult): Parameters<RetryCounter['nextDelayMs']> {
  if ('reply' in outcome)
    return [decideByStatus('reads', outcome.reply.status), outcome.reply.headers['retry-after']];
  const { error, proxyStatus } = outcome;
  return [proxyStatus === undefined ? decideByError('reads', error) : decideByStatus('reads', proxyStatus)];
}

function experienceOf(outcome: ExchangeResult): ServerFeedback {
  if (!('reply' in outcome))
    return outcome.ranOutOfDescriptors
      ? { busy: true, answered: false, retryAfterMs: 0 }
      : { busy: false, answered: false };
  const { status, headers } = outcome.reply,
    busy = isBusyStatus(status);
  return {
    busy,
    answered: !busy,
    retryAfterMs: busy ? acceptedRetryAfterMs(headers['retry-after'], Date.now()) : undefined,
  };
}

const closedError = (url: URL): RequestError =>
  new RequestError('CONNECTION', `${redactUrl(url)}: the client was closed`, redactUrl(url));
