/**
 * Asks the auth service of CAVE what the owner of a token may do. Answers are kept for a few minutes, keyed by a hash
 * of the token, in bounded number. If the service does not answer, nobody is let in.
 *
 * Sources: middle_auth_client, decorators.py, `user_cache_http`, `dataset_from_table_id` and `has_permission`;
 * middle_auth, server.py and model/user.py, `create_cache`; PyChunkedGraph, app/config.py, `AUTH_SERVICE_NAMESPACE`.
 */
import { LRUCache } from 'lru-cache';
import * as z from 'zod/mini';
import { withDeadline } from '../../base/deadline.ts';
import { AccessError, GraphError, InfoError, PathError } from '../../base/errors.ts';
import { registerGuestSecret } from '../../base/secret-redaction.ts';
import { requestJson, serviceUrl } from '../../cave/cave-server.ts';
import type { Host } from '../../chunkedgraph/server/graph-path.ts';
import { GraphServer } from '../../chunkedgraph/server/graph-server.ts';
import { mayReceiveToken } from '../../chunkedgraph/server/token.ts';
import type { HttpClient } from '../../http/http-request.ts';
import { TokenKeys } from './token-keys.ts';

/** What the owner of a token may do. */
export interface CaveUser {
  /** Key of the token. */
  readonly key: string;
  /** Whether the user may view a table. Tables whose dataset is unknown are viewed by nobody. */
  mayView(table: string): boolean;
  /** The page of the terms of service that the user must accept before viewing a table; undefined if none. */
  termsOf(table: string): string | undefined;
}

/** Settings of the client of an auth service. */
export interface CaveAuthOptions {
  /** The CAVE server, whose auth service is at `/auth`. */
  server: Host;
  http: HttpClient;
  /** Tables of the volumes that are served. */
  tables: readonly string[];
  /** A clock that never jumps, in ms. */
  now: () => number;
  /** Most users that are remembered, and most tokens that were refused. @default 1000 */
  maxRemembered?: number;
  /** Called with the key of a token that is not accepted, or no longer. */
  onRefused?: (key: string) => void;
}

/** How long a user's permissions are used. Source: middle_auth_client, CACHE_TTL. */
export const PERMISSIONS_MS = 300_000;
/** How long a token is refused, or has no permission, before the service is asked again. */
export const REFUSAL_MS = 30_000;
const MAX_REMEMBERED = 1000;
/** Most questions at the same time. */
const MAX_QUESTIONS = 64;
const ANSWER_MS = 10_000;
/** The service that tables of chunkedgraphs belong to. */
const NAMESPACE = 'pychunkedgraph';

const USER = z.object({
  permissions_v2: z.record(z.string(), z.array(z.string())),
  missing_tos: z.optional(z.array(z.object({ dataset_name: z.string(), tos_id: z.int() }))),
});
const DATASET = z.string().check(z.minLength(1));
type User = z.infer<typeof USER>;

/** The client of one auth service. */
export class CaveAuth {
  readonly #options: CaveAuthOptions;
  readonly #keys = new TokenKeys();
  readonly #users: LRUCache<string, Kept<CaveUser>>;
  readonly #refused: LRUCache<string, Kept<AccessError>>;
  readonly #asking = new Map<string, Promise<CaveUser>>();
  readonly #datasets = new Map<string, Kept<string>>();

  /** @throws PathError INSECURE_TOKEN for a server that is reached neither over TLS nor on loopback. */
  constructor(options: CaveAuthOptions) {
    this.#options = options;
    const { server, maxRemembered: max = MAX_REMEMBERED } = options;
    this.#users = new LRUCache({ max });
    this.#refused = new LRUCache({ max });
    if (!mayReceiveToken(server))
      throw new PathError(
        'INSECURE_TOKEN',
        `callers' tokens are sent over TLS or to loopback only, and the auth server ${server.origin} is neither`,
      );
  }

  /**
   * Returns the owner of a token. Requests with one token share one question.
   * @param table The table that is asked for. If the user may not view it, that is asked again sooner.
   * @throws AccessError BAD_TOKEN, AUTH_UNAVAILABLE.
   */
  async userOf(token: string, table: string | undefined): Promise<CaveUser> {
    const key = this.#keys.keyOf(token),
      now = this.#options.now();
    const user = this.#users.get(key);
    if (user) {
      const isAllowed = table === undefined || user.value.mayView(table);
      if (now - user.askedMs < (isAllowed ? PERMISSIONS_MS : REFUSAL_MS)) return user.value;
    }
    const refused = this.#refused.get(key);
    if (refused && now - refused.askedMs < REFUSAL_MS) throw refused.value;
    const asking = this.#asking.get(key);
    if (asking) return asking;
    if (this.#asking.size >= MAX_QUESTIONS)
      throw new AccessError('AUTH_UNAVAILABLE', 'too many tokens wait for the auth service');
    const asked = this.#ask(token, key, now).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asked);
    return asked;
  }

  /** Asks the service, and remembers the answer from the time of the question. */
  async #ask(token: string, key: string, now: number): Promise<CaveUser> {
    registerGuestSecret(token);
    try {
      const user = await withDeadline(ANSWER_MS, [], (signal) => this.#request(token, key, signal));
      this.#users.set(key, { value: user, askedMs: now });
      this.#refused.delete(key);
      return user;
    } catch (error) {
      const refusal = refusalOf(error, this.#options.server);
      if (refusal.code === 'BAD_TOKEN') {
        this.#users.delete(key);
        this.#refused.set(key, { value: refusal, askedMs: now });
        this.#options.onRefused?.(key);
      }
      throw refusal;
    }
  }

  async #request(token: string, key: string, signal: AbortSignal): Promise<CaveUser> {
    const { server: path, http, tables } = this.#options,
      server = new GraphServer<Host>({ http, path, token: { token, from: 'the request', isGuest: true } });
    const user = await requestJson(server, '/auth/api/v1/user/cache', USER, 'user', signal);
    const datasets = new Map<string, string>();
    for (const table of new Set(tables)) {
      const dataset = await this.#datasetOf(table, server, signal);
      if (dataset !== undefined) datasets.set(table, dataset);
    }
    return new Permissions(key, user, datasets, serviceUrl(path, '/auth'));
  }

  /** Returns the dataset of a table; undefined if the service knows none. Only known ones are remembered. */
  async #datasetOf(
    table: string,
    server: GraphServer<Host>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { now } = this.#options,
      known = this.#datasets.get(table);
    if (known && now() - known.askedMs < PERMISSIONS_MS) return known.value;
    const askedMs = now(),
      path = `/auth/api/v1/service/${NAMESPACE}/table/${encodeURIComponent(table)}/dataset`;
    try {
      const value = await requestJson(server, path, DATASET, 'dataset of a table', signal);
      this.#datasets.set(table, { value, askedMs });
      return value;
    } catch (error) {
      if (error instanceof InfoError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }
}

/** An answer, and when it was asked for, in ms of the clock. */
interface Kept<T> {
  readonly value: T;
  readonly askedMs: number;
}

/** The permissions of one user. */
class Permissions implements CaveUser {
  readonly key: string;
  readonly #user: User;
  readonly #datasets: ReadonlyMap<string, string>;
  readonly #authUrl: string;

  constructor(key: string, user: User, datasets: ReadonlyMap<string, string>, authUrl: string) {
    this.key = key;
    this.#user = user;
    this.#datasets = datasets;
    this.#authUrl = authUrl;
  }

  mayView(table: string): boolean {
    const dataset = this.#datasets.get(table),
      permissions = this.#user.permissions_v2;
    return (
      dataset !== undefined && Object.hasOwn(permissions, dataset) && permissions[dataset].includes('view')
    );
  }

  termsOf(table: string): string | undefined {
    const dataset = this.#datasets.get(table),
      terms = this.#user.missing_tos?.find(({ dataset_name: name }) => name === dataset);
    return terms && `${this.#authUrl}/api/v1/tos/${terms.tos_id}/accept`;
  }
}

/** What a failed question means for the caller. The error names no text of the service, and no token. */
function refusalOf(error: unknown, { origin }: Host): AccessError {
  if (error instanceof AccessError) return error;
  if (error instanceof GraphError && (error.code === 'UNAUTHORIZED' || error.code === 'FORBIDDEN'))
    return new AccessError(
      'BAD_TOKEN',
      `${origin} does not accept the token: it is wrong, or has expired or was revoked`,
    );
  const status = error instanceof GraphError && error.status !== undefined ? ` (status ${error.status})` : '';
  return new AccessError(
    'AUTH_UNAVAILABLE',
    `the auth service of ${origin} gave no answer${status}: retry later`,
  );
}
