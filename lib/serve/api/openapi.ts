/** The OpenAPI document, made of the schemas of the routes. */
import type { FastifyInstance } from 'fastify';
import { importPackage } from '../../http/import-package.ts';
import { USER_AGENT } from '../../http/user-agent.ts';

/** Collects the routes that are registered after it. Their document is at `/v1/openapi.json`. */
export async function registerOpenapi(server: FastifyInstance): Promise<void> {
  const { default: swagger } = await importPackage(() => import('@fastify/swagger'));
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'graphene-points',
        version: USER_AGENT.split('/')[1],
        description: 'Supervoxels and root IDs at points of connectomics volumes.',
        license: { name: 'MIT', identifier: 'MIT' } as { name: string },
      },
    },
    // Bodies are checked row by row, and not by Fastify.
    transform: ({ schema, url, route }) => {
      const body = route.config?.body;
      return { schema: body ? { ...schema, body } : (schema ?? { hide: true }), url };
    },
  });
  let text: string | undefined;
  server.get('/v1/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    void reply.type('application/json');
    return (text ??= JSON.stringify(server.swagger()));
  });
}
