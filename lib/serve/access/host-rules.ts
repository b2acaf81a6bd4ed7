/**
 * Decides by `Host` and `Origin` whether a request was meant for this service. A web page of somebody else can make
 * a browser send requests to a service on this machine, also under a name that resolves to 127.0.0.1 (DNS
 * rebinding): then `Host` is that name. So on loopback only the names of loopback are answered.
 */
import { AccessError } from '../../base/errors.ts';
import {
  formatOrigin,
  parseAuthority,
  parseOrigin,
  portOf,
  type Authority,
  type WebScheme,
} from './authority.ts';

/** The headers and the connection that decide. Names are in lower case. */
export interface RequestSource {
  method: string;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The port that the request arrived at; undefined for one that did not come over a network. */
  localPort: number | undefined;
  scheme: WebScheme;
}

/** Settings of the rules. */
export interface HostRulesOptions {
  /** Whether the service listens on loopback only. */
  onLoopback: boolean;
  /** The address that the service listens on. */
  host: string;
  /** More hosts that it answers for, `HOST[:PORT]`; without a port, every port. */
  allowHosts: readonly string[];
  /** Other origins whose pages may ask. */
  corsOrigins: readonly string[];
  /** Whether a proxy in front of the service terminates TLS. */
  tlsByProxy: boolean;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** The rules of one service. */
export class HostRules {
  readonly #options: HostRulesOptions;
  /** Hosts that are answered at the port of the service only. */
  readonly #own: ReadonlySet<string>;
  readonly #allowed: readonly Authority[];
  readonly #origins: ReadonlySet<string>;

  /** @throws RangeError for a host or an origin that is not one. */
  constructor(options: HostRulesOptions) {
    this.#options = options;
    this.#own = new Set(options.onLoopback ? [...LOOPBACK_NAMES, bracketed(options.host)] : []);
    this.#allowed = options.allowHosts.map((text) => {
      const authority = parseAuthority(text);
      if (authority) return authority;
      throw new RangeError(`allowHost must be HOST or HOST:PORT, not ${JSON.stringify(text)}`);
    });
    this.#origins = new Set(
      options.corsOrigins.map((text) => {
        const origin = parseOrigin(text);
        if (origin !== undefined) return origin;
        throw new RangeError(
          `corsOrigin must be an origin such as https://viewer.example.org, not ${JSON.stringify(text)}`,
        );
      }),
    );
  }

  /**
   * Checks that a request was meant for this service, and did not come from a page of another origin.
   * @throws AccessError BAD_REQUEST, FOREIGN_HOST, FOREIGN_ORIGIN.
   */
  check(source: RequestSource): void {
    const host = one(source.headers.host);
    if (host === undefined) throw new AccessError('BAD_REQUEST', 'the request has no header host');
    const authority = parseAuthority(host);
    if (!authority) throw new AccessError('BAD_REQUEST', 'the header host is not HOST or HOST:PORT');
    if (!this.#answersFor(authority, source))
      throw new AccessError(
        'FOREIGN_HOST',
        `this service does not answer for ${host}: to allow it, start the service with --allow-host ${host}`,
      );
    this.#checkOrigin(authority, source);
  }

  /** Whether pages of an origin in normal form may ask, besides the service's own. */
  allowsOrigin(origin: string): boolean {
    return this.#origins.has(origin);
  }

  #answersFor(authority: Authority, { localPort, scheme }: RequestSource): boolean {
    const { onLoopback } = this.#options,
      isAllowed = this.#allowed.some(
        ({ name, port }) => name === authority.name && (port === undefined || port === authority.port),
      );
    if (isAllowed) return true;
    if (!onLoopback) return this.#allowed.length === 0;
    return (
      this.#own.has(authority.name) && (localPort ?? portOf(authority, scheme)) === portOf(authority, scheme)
    );
  }

  #checkOrigin(authority: Authority, { method, headers, scheme }: RequestSource): void {
    const given = one(headers.origin),
      site = one(headers['sec-fetch-site']);
    if (given === undefined) {
      if (site === undefined || site === 'same-origin' || site === 'none') return;
      // Somebody follows a link to the page. Its answer cannot be read by the page with the link.
      if (method === 'GET' && one(headers['sec-fetch-mode']) === 'navigate') return;
      throw foreignOrigin('of another site');
    }
    const origin = parseOrigin(given);
    if (origin !== undefined && (this.#origins.has(origin) || this.#isOwn(origin, authority, scheme))) return;
    throw foreignOrigin(`of the origin ${origin ?? 'null'}`);
  }

  /** Whether an origin is that of the service's own page. A proxy reaches it without TLS, its visitors do not. */
  #isOwn(origin: string, authority: Authority, scheme: WebScheme): boolean {
    const { tlsByProxy } = this.#options,
      schemes = !tlsByProxy
        ? [scheme]
        : LOOPBACK_NAMES.includes(authority.name)
          ? (['https', 'http'] as const)
          : (['https'] as const);
    return schemes.some((each) => origin === formatOrigin(each, authority));
  }
}

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value;

const bracketed = (host: string): string => (host.includes(':') ? `[${host.replace(/^\[|\]$/g, '')}]` : host);

const foreignOrigin = (which: string): AccessError =>
  new AccessError(
    'FOREIGN_ORIGIN',
    `a web page ${which} sent the request: to allow it, start the service with --cors-origin`,
  );
