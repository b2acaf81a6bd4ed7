/** Makes the HTTP service: opens its volumes, and registers the rooms that answer. */
import type { FastifyInstance } from 'fastify';
import { importPackage } from '../http/import-package.ts';
import { LOCAL_CALLER } from './access/caller.ts';
import { registerPoints } from './api/points-route.ts';
import { errorBody, HttpRefusal, httpStatusOf } from './http-errors.ts';
import { registerPage } from './page/register-page.ts';
import type { ServiceOptions, ServicePlugin } from './service-types.ts';
import { ServedVolumes } from './volumes.ts';

/** A running service. */
export interface Service {
  /** Where it listens: `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Its routes. A spec can ask without a connection, by `server.inject`. */
  readonly server: FastifyInstance;
  /** Answers what was asked, refuses new requests, and closes the volumes. */
  close(): Promise<void>;
}

const registerStatus: ServicePlugin = (server, { volumes }) => {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/v1', () => ({ volumes: volumes.names }));
};

/** The rooms that answer. */
const PLUGINS: readonly ServicePlugin[] = [registerStatus, registerPoints, (server) => registerPage(server)];

/** Opens the volumes and starts to listen. @throws the errors of opening a volume; the system's error if the port is taken. */
export async function createService(options: ServiceOptions): Promise<Service> {
  const { default: fastify } = await importPackage(() => import('fastify'));
  const volumes = await ServedVolumes.open(options.volumes, options.open);
  try {
    const server = fastify({
      logger: false,
      bodyLimit: 64 * 2 ** 20,
      ajv: { customOptions: { removeAdditional: false, allErrors: false } }, // an unknown parameter is a mistake
    });
    server.decorateRequest('caller');
    server.addHook('onRequest', async (request) => void (request.caller = LOCAL_CALLER));
    server.setErrorHandler((error, _request, reply) =>
      reply.code(httpStatusOf(error)).send(errorBody(error)),
    );
    server.setNotFoundHandler((request, reply) =>
      reply
        .code(404)
        .send(
          errorBody(new HttpRefusal(404, `nothing answers ${request.method} ${request.url.split('?')[0]}`)),
        ),
    );
    for (const register of PLUGINS) await register(server, { volumes, options });
    const url = await server.listen({ host: options.host ?? '127.0.0.1', port: options.port ?? 8080 });
    return {
      url,
      server,
      close: async () => {
        await server.close();
        await volumes.close();
      },
    };
  } catch (error) {
    await volumes.close();
    throw error;
  }
}
