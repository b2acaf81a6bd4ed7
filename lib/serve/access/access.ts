/**
 * Decides for each request who sends it and whether they may ask it, before its body is read. Also the headers that
 * keep browsers safe, and CORS.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AccessError, PathError } from '../../base/errors.ts';
import { isLoopbackHost } from '../../base/public-address.ts';
import { parseServer } from '../../cave/cave-server.ts';
import type { Host } from '../../chunkedgraph/server/graph-path.ts';
import { mayReceiveToken } from '../../chunkedgraph/server/token.ts';
import { createHttpClient } from '../../failures/http-client.ts';
import { findCredentials } from '../../graphene/credential-free.ts';
import { graphenePartsOf } from '../../graphene/graphene-volume.ts';
import { importPackage } from '../../http/import-package.ts';
import type { ServedVolume, ServedVolumes } from '../volumes.ts';
import {
  chooseAccessMode,
  type AccessMode,
  type AccessOptions,
  type ListeningOptions,
} from './access-options.ts';
import { CallerViews } from './caller-views.ts';
import { tableOf, publicCaller } from './callers.ts';
import { CaveAuth } from './cave-auth.ts';
import { HostRules } from './host-rules.ts';
import { identify, type Identity, type IdentifyParts } from './identify.ts';
import { needsOf, type RouteNeeds } from './needs.ts';
import { checkRequestHead } from './request-head.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { TlsFiles, type TlsPair } from './tls-files.ts';
import { TokenFile } from './token-file.ts';

/** What `Access` is made with, besides its options. */
export interface AccessSurroundings {
  listening: ListeningOptions;
  warn: (message: string) => void;
  /** A clock that never jumps, in ms. @default performance.now */
  now?: () => number;
}

/** Who may ask one service. */
export class Access {
  readonly #mode: AccessMode;
  readonly #options: AccessOptions;
  readonly #surroundings: Required<AccessSurroundings>;
  readonly #rules: HostRules;
  readonly #views = new CallerViews();
  readonly #publicVolumes: ReadonlySet<string>;
  readonly #tlsFiles: TlsFiles | undefined;
  #tokenFile: TokenFile | undefined;
  #closeAuth: () => void = () => undefined;

  /**
   * Checks the options, before anything is opened.
   * @throws As `chooseAccessMode` and `HostRules`.
   */
  constructor(options: AccessOptions, surroundings: AccessSurroundings) {
    const { listening } = surroundings;
    this.#options = options;
    this.#surroundings = { now: () => performance.now(), ...surroundings };
    this.#mode = chooseAccessMode(options, listening);
    this.#publicVolumes = new Set(options.publicVolumes);
    const { cert, key } = options;
    this.#tlsFiles = cert !== undefined && key !== undefined ? new TlsFiles(cert, key) : undefined;
    this.#rules = new HostRules({
      onLoopback: isLoopbackHost(listening.host),
      host: listening.host,
      allowHosts: options.allowHosts ?? [],
      corsOrigins: options.corsOrigins ?? [],
      tlsByProxy: options.tlsByProxy ?? false,
    });
  }

  /** Whether anybody may ask for the voxels of a volume. It must be opened with anonymous credentials. */
  isPublic(name: string): boolean {
    return this.#publicVolumes.has(name);
  }

  /**
   * Reads the file of tokens and the certificate.
   * @returns The certificate and its key; undefined without TLS.
   * @throws AccessError BAD_TOKEN_FILE, UNSAFE_SETTINGS.
   */
  async open(): Promise<TlsPair | undefined> {
    const { tokenFile } = this.#options,
      { listening, warn, now } = this.#surroundings;
    if (tokenFile !== undefined)
      this.#tokenFile = await TokenFile.open(tokenFile, { volumes: listening.volumes, warn, now });
    return this.#tlsFiles?.read();
  }

  /**
   * Registers the hooks, which apply to all routes that are registered later.
   * @throws AccessError UNSAFE_SETTINGS for a public volume that needs credentials; PathError INSECURE_TOKEN for a
   *   server that callers' tokens may not be sent to; RangeError without a server that knows the tokens.
   */
  async register(server: FastifyInstance, volumes: ServedVolumes): Promise<void> {
    await this.#checkPublic(volumes);
    const parts: IdentifyParts = {
      mode: this.#mode,
      publicVolumes: this.#publicVolumes,
      tlsByProxy: this.#options.tlsByProxy ?? false,
      tokenFile: this.#tokenFile,
      caveAuth: this.#mode === 'cave' ? this.#openAuth(volumes) : undefined,
      views: this.#views,
    };
    server.addHook('onRoute', (route) => void needsOf(route)); // a route that says nothing ends the start
    server.decorateRequest('caller');
    server.addHook('onRequest', async (request, reply) => {
      reply.headers(SECURITY_HEADERS);
      this.#checkSource(request);
    });
    await this.#registerCors(server); // so that a page may read why it is refused
    server.addHook('onRequest', async (request, reply) => this.#admit(request, reply, volumes, parts));
    this.#awaitBodies(server);
    this.#tlsFiles?.follow(server.server as never, this.#surroundings.warn);
  }

  /** Closes the connections to the auth service. */
  close(): void {
    this.#tlsFiles?.stop();
    this.#closeAuth();
  }

  /** Checks the head of a request, and that it was meant for this service. */
  #checkSource(request: FastifyRequest): void {
    const { raw, headers, method } = request,
      { socket } = raw;
    request.caller = publicCaller(new Set());
    checkRequestHead({ url: raw.url ?? '', rawHeaders: raw.rawHeaders });
    const scheme = 'encrypted' in socket && socket.encrypted ? 'https' : 'http';
    this.#rules.check({ method, headers, localPort: socket.localPort, scheme });
  }

  /** Finds out who sends a request, and checks their rights. */
  async #admit(
    request: FastifyRequest,
    reply: FastifyReply,
    volumes: ServedVolumes,
    parts: IdentifyParts,
  ): Promise<void> {
    if (request.is404) return;
    const needs = needsOf(request.routeOptions);
    if (needs === 'nothing') return;
    const { name = '', dataset = name } = request.params as { name?: string; dataset?: string },
      volume = needs === 'voxels' || needs === 'roots' ? volumes.find(dataset) : undefined;
    const identity = await identify(request, reply, volume, parts);
    request.caller = identity.caller;
    checkRights(needs, volume, identity);
  }

  /**
   * Lets a client that waits for 100 send its body after the last check, and not before the first one: Node would
   * tell it to begin at once.
   */
  #awaitBodies(server: FastifyInstance): void {
    const waiting = new WeakSet<object>();
    server.server.on('checkContinue', (request: object, response: object) => {
      waiting.add(request);
      server.server.emit('request', request, response);
    });
    server.addHook('preParsing', async ({ raw }, reply) => {
      if (waiting.delete(raw)) reply.raw.writeContinue();
    });
  }

  async #registerCors(server: FastifyInstance): Promise<void> {
    const { corsOrigins = [] } = this.#options;
    if (corsOrigins.length === 0) return;
    const { default: cors } = await importPackage(() => import('@fastify/cors'));
    await server.register(cors, {
      origin: (origin, done) => done(null, origin !== undefined && this.#rules.allowsOrigin(origin)),
      methods: ['GET', 'POST'],
      allowedHeaders: ['accept', 'authorization', 'content-type'],
      exposedHeaders: ['graphene-points-timestamp', 'retry-after', 'www-authenticate'],
      credentials: false,
      maxAge: 600,
    });
  }

  async #checkPublic(volumes: ServedVolumes): Promise<void> {
    for (const name of this.#publicVolumes) {
      const { opened } = volumes.find(name)!,
        reason = await findCredentials(opened.graph ?? opened.plain);
      if (reason !== undefined)
        throw new AccessError(
          'UNSAFE_SETTINGS',
          `--public ${name}: anybody may ask for its voxels, and ${reason}`,
        );
    }
  }

  #openAuth(volumes: ServedVolumes): CaveAuth {
    const graphs = volumes.names.map((name) => volumes.find(name)!).filter(({ opened }) => opened.graph),
      http = createHttpClient({ retries: 1, connectTimeoutMs: 5000, idleTimeoutMs: 10_000 });
    for (const { name, opened } of graphs) {
      const { path } = graphenePartsOf(opened.graph!);
      if (!mayReceiveToken(path))
        throw new PathError(
          'INSECURE_TOKEN',
          `--auth cave sends callers' tokens to the graph server of ${name}, and ${path.origin} is reached neither over TLS nor on loopback`,
        );
    }
    this.#closeAuth = () => http.close();
    return new CaveAuth({
      server: this.#authServer(graphs),
      http,
      tables: graphs.map((volume) => tableOf(volume)!),
      now: this.#surroundings.now,
      onRefused: (key) => this.#views.forget(key),
    });
  }

  /** The server that knows the tokens: the one that was named, or the one that described all datastacks. */
  #authServer(graphs: readonly ServedVolume[]): Host {
    const { authServer } = this.#options;
    if (authServer !== undefined) return parseServer(authServer);
    const servers = new Set(graphs.map(({ opened }) => opened.graph?.datastack?.server)),
      [only] = servers;
    if (servers.size === 1 && only !== undefined) return parseServer(only);
    throw new RangeError(
      `--auth cave needs --auth-server URL, such as https://global.daf-apis.com: ${
        graphs.length === 0
          ? 'no volume has a graph'
          : 'not all volumes are datastacks cave://… of one server, which would know the tokens'
      }`,
    );
  }
}

/** @throws AccessError NO_TOKEN for an unknown caller, else NOT_ALLOWED or TERMS_NOT_ACCEPTED. */
function checkRights(needs: RouteNeeds, volume: ServedVolume | undefined, { caller, user }: Identity): void {
  if (needs === 'caller') return;
  const isAllowed =
    needs === 'service'
      ? caller.isKnown
      : volume
        ? needs === 'roots'
          ? caller.mayReadRoots(volume)
          : caller.mayReadVoxels(volume)
        : caller.isKnown; // the route answers 404, and strangers do not learn which names there are
  if (isAllowed || (caller.isKnown && volume && !volume.opened.graph && caller.mayReadVoxels(volume))) return;
  if (!caller.isKnown)
    throw new AccessError('NO_TOKEN', 'this needs a token: send the header authorization: Bearer TOKEN');
  const table = volume && tableOf(volume),
    terms = table === undefined ? undefined : user?.termsOf(table);
  if (terms !== undefined)
    throw new AccessError('TERMS_NOT_ACCEPTED', `accept the terms of service first, at ${terms}`);
  throw new AccessError(
    'NOT_ALLOWED',
    `the token may not ask for ${needs === 'roots' ? 'roots' : 'voxels'} of ${volume?.name}`,
  );
}
