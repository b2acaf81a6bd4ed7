/** Makes the HTTP service: opens its volumes, and registers the rooms that answer. */
import type { FastifyInstance, FastifySchemaValidationError } from 'fastify';
import { parseOptions } from '../base/option-table.ts';
import { importPackage } from '../http/import-package.ts';
import { Access } from './access/access.ts';
import { registerInfo } from './api/info-routes.ts';
import { registerOpenapi } from './api/openapi.ts';
import { registerArrival, registerGate } from './api/request-hooks.ts';
import { registerRows } from './api/rows-routes.ts';
import { ServiceMetrics } from './api/service-metrics.ts';
import { WorkGate } from './api/work-gate.ts';
import { FRAMEWORK_ERRORS } from './framework-errors.ts';
import { errorBody, errorHeaders, HttpRefusal, httpStatusOf } from './http-errors.ts';
import { limitsOf, OPENING_DEFAULTS, SERVICE_OPTIONS } from './service-options.ts';
import { registerPage } from './page/register-page.ts';
import type { ServiceOptions, ServiceParts, ServicePlugin } from './service-types.ts';
import { registerTransform } from './transform/transform-routes.ts';
import { ServedVolumes } from './volumes.ts';

/** A running service. */
export interface Service {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Its routes. A spec can ask without a connection, by `server.inject`. */
  readonly server: FastifyInstance;
  /**
   * Takes no more requests, answers those that run, and closes the volumes. Requests that take longer than `drainMs`
   * are aborted.
   */
  close(): Promise<void>;
}

/** The rooms that answer. */
const PLUGINS: readonly ServicePlugin[] = [
  registerInfo,
  registerRows,
  registerTransform,
  (server) => registerPage(server),
];

/** How long a client may take for the head of a request. */
const HEADERS_TIMEOUT_MS = 15_000,
  KEEP_ALIVE_MS = 72_000;
/** How long aborted requests may take to end. */
const ABORT_MS = 1000;

/**
 * Opens the volumes and starts to listen.
 * @throws TypeError or RangeError for options that cannot be used; AccessError UNSAFE_SETTINGS and BAD_TOKEN_FILE; the
 *   errors of opening a volume; the system's error if the port is taken.
 */
export async function createService(given: ServiceOptions): Promise<Service> {
  const options = parseOptions(given, SERVICE_OPTIONS),
    settings = limitsOf(options);
  const { default: fastify } = await importPackage(() => import('fastify'));
  const { host = '127.0.0.1', port = 8080 } = options;
  const access = new Access(options.access ?? {}, {
    listening: { host, volumes: options.volumes.map(({ name }) => name) },
    warn: (message) => options.open.logger?.warn(message),
  });
  const https = await access.open(),
    volumes = await ServedVolumes.open(options.volumes, { ...OPENING_DEFAULTS, ...options.open }, (name) =>
      access.isPublic(name),
    );
  const life = new AbortController();
  try {
    const gate = new WorkGate({
      maxRunning: settings.maxRequests,
      maxQueued: settings.maxQueued,
      maxPoints: settings.maxPointsAtOnce,
    });
    const metrics = await ServiceMetrics.create(gate),
      parts: ServiceParts = { volumes, options, settings, gate, metrics, life: life.signal };
    const server = fastify({
      logger: false,
      ...(https && { https }),
      bodyLimit: settings.maxBodyBytes,
      ajv: { customOptions: { removeAdditional: false, allErrors: false } }, // an unknown parameter is a mistake
      schemaErrorFormatter: describeFault,
      return503OnClosing: false, // a hook of our own does it
      forceCloseConnections: 'idle',
      requestTimeout: 0, // a body is read as fast as its rows are looked up; `receive` has an eye on slow clients
      keepAliveTimeout: KEEP_ALIVE_MS,
      http: { headersTimeout: HEADERS_TIMEOUT_MS },
      ...FRAMEWORK_ERRORS,
    });
    server.server.maxConnections = settings.maxConnections;
    let isStopping = false;
    answerErrors(server);
    registerArrival(server, parts, () => isStopping);
    await access.register(server, volumes);
    registerGate(server, parts);
    await registerOpenapi(server);
    for (const register of PLUGINS) await register(server, parts);
    const url = await server.listen({ host, port });
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      isStopping = true;
      const abort = setTimeout(
          () => life.abort(new HttpRefusal(503, 'the service has stopped')),
          settings.drainMs,
        ),
        cut = setTimeout(() => server.server.closeAllConnections(), settings.drainMs + ABORT_MS);
      await server.close();
      clearTimeout(abort);
      clearTimeout(cut);
      access.close();
      await volumes.close();
    };
    return { url, server, close: () => (closing ??= close()) };
  } catch (error) {
    access.close();
    await volumes.close();
    throw error;
  }
}

/** Makes all errors answers of one form. */
function answerErrors(server: FastifyInstance): void {
  server.setErrorHandler((error, _request, reply) =>
    reply
      .code(httpStatusOf(error))
      .headers(errorHeaders(error))
      .type('application/json')
      .send(errorBody(error)),
  );
  server.setNotFoundHandler((request) => {
    throw new HttpRefusal(404, `nothing answers ${request.method} ${request.url.split('?')[0]}`);
  });
}

/** Describes the first fault of the parameters of a request. */
function describeFault([{ keyword, params, instancePath, message }]: FastifySchemaValidationError[]): Error {
  if (keyword === 'additionalProperties')
    return new HttpRefusal(
      400,
      `there is no parameter ${JSON.stringify(params.additionalProperty)} here; GET /v1/openapi.json lists them`,
    );
  const name = instancePath.slice(1),
    allowed = params.allowedValues;
  return new HttpRefusal(400, `${name} ${message}${Array.isArray(allowed) ? `: ${allowed.join(', ')}` : ''}`);
}
