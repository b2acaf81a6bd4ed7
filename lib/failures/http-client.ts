/** An HTTP client that tries again what may pass, at the pace of each host. */
import { onAbort, pause } from '../base/abort.ts';
import { RequestError } from '../base/errors.ts';
import { retriesOf, type Observe } from '../base/observer.ts';
import type { HttpClient, HttpReply, HttpRequest } from '../http/client.ts';
import { Connections, type ConnectionOptions } from '../http/connections.ts';
import { onlyReads, type Outcome } from '../http/exchange.ts';
import { redactUrl } from '../http/excerpt.ts';
import { firstHop, type Hop } from '../http/hop.ts';
import { followed } from '../http/redirect.ts';
import { Stopper } from '../http/stopper.ts';
import { askedDelayMs } from './delay.ts';
import { processPace, type Pace } from './pace.ts';
import type { Experience } from './throttle.ts';
import { Tries, type TriesOptions } from './tries.ts';
import { isBusy, onError, onStatus } from './verdict.ts';

export interface HttpClientOptions extends ConnectionOptions, Omit<TriesOptions, 'random' | 'onRetry'> {
  /** Told of each retry. */
  observe?: Observe;
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
  const underWay = new Map<Stopper, URL>();
  let closed = false;

  async function insist(asked: HttpRequest, hop: Hop, stopper: Stopper): Promise<HttpReply> {
    const attempt = connections.attemptsOf(asked, hop, stopper);
    if (!(asked.retry ?? onlyReads(asked.method))) return settled(await attempt());
    const { host } = hop.url,
      onRetry = observe && retriesOf(host, observe);
    const tries = new Tries({ retries, backoffMs, onRetry });
    for (;;) {
      const outcome = await inTurn(host, attempt, stopper);
      if ('reply' in outcome && outcome.reply.status < 400) return outcome.reply;
      const delayMs = tries.next(...judged(outcome));
      if (delayMs === undefined) return settled(outcome);
      await pause(delayMs, stopper.signal);
    }
  }

  /** Whoever repeats requests by other rules also knows how many to send: theirs take no turn. */
  async function inTurn(host: string, attempt: () => Promise<Outcome>, stopper: Stopper): Promise<Outcome> {
    const taken = pace.take(host, stopper);
    const end = typeof taken === 'function' ? taken : await taken;
    let seen: Experience = { busy: false, answered: false };
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
    const stopper = new Stopper();
    const release = signal && onAbort(signal, () => stopper.stop(signal.reason));
    underWay.set(stopper, url);
    try {
      const ask = (hop: Hop): Promise<HttpReply> => insist(asked, hop, stopper);
      return await (followRedirects && onlyReads(method) ? followed(first, ask) : ask(first));
    } finally {
      underWay.delete(stopper);
      release?.();
    }
  }

  function close(): void {
    closed = true;
    for (const [stopper, url] of underWay) stopper.stop(closedError(url));
    connections.close();
  }

  return { request, close };
}

/** @throws the error of an exchange that had no reply. */
function settled(outcome: Outcome): HttpReply {
  if ('reply' in outcome) return outcome.reply;
  throw outcome.error;
}

function judged(outcome: Outcome): Parameters<Tries['next']> {
  if ('reply' in outcome)
    return [onStatus('reads', outcome.reply.status), outcome.reply.headers['retry-after']];
  const { error, proxyStatus } = outcome;
  return [proxyStatus === undefined ? onError('reads', error) : onStatus('reads', proxyStatus)];
}

function experienceOf(outcome: Outcome): Experience {
  if (!('reply' in outcome))
    return outcome.isShort ? { busy: true, answered: false, aloneMs: 0 } : { busy: false, answered: false };
  const { status, headers } = outcome.reply,
    busy = isBusy(status);
  return {
    busy,
    answered: !busy,
    aloneMs: busy ? askedDelayMs(headers['retry-after'], Date.now()) : undefined,
  };
}

const closedError = (url: URL): RequestError =>
  new RequestError('CONNECTION', `${redactUrl(url)}: the client was closed`, redactUrl(url));
