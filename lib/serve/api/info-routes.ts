/** The routes that say what the service has, and how it is. */
import { resolveJobTimestamp } from '../../lookup-table/open-volume.ts';
import type { ServicePlugin } from '../service-types.ts';
import { asJson, ERRORS, INFO_ANSWER } from './answer-schemas.ts';
import { describeVolume } from './describe-volume.ts';
import { graphOf } from './ids-look-up.ts';
import { NAME_PARAMS, NO_QUERY, TIMESTAMP_QUERY } from './query-schemas.ts';
import { signalOf } from './request-signal.ts';
import { volumeNamed } from './volume-named.ts';

const object = (properties: object): object => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});

/** Registers `GET /v1`, `info`, `timestamp`, `/healthz` and `/metrics`. */
export const registerInfo: ServicePlugin = (server, { volumes, metrics, life }) => {
  server.get(
    '/healthz',
    {
      schema: {
        summary: 'Whether the service answers',
        querystring: NO_QUERY,
        response: { 200: asJson('It does.', object({ status: { type: 'string', const: 'ok' } })), ...ERRORS },
      },
    },
    async () => ({ status: 'ok' }),
  );

  server.get(
    '/metrics',
    {
      schema: {
        summary: 'Metrics for Prometheus',
        querystring: NO_QUERY,
        response: {
          200: {
            description: 'Text of the Prometheus format.',
            content: { 'text/plain': { schema: { type: 'string' } } },
          },
          ...ERRORS,
        },
      },
    },
    async (_request, reply) => {
      void reply.type(metrics.contentType);
      return metrics.text();
    },
  );

  server.get(
    '/v1',
    {
      schema: {
        summary: 'The volumes',
        querystring: NO_QUERY,
        response: {
          200: asJson(
            'The names of the volumes that the caller may read.',
            object({ volumes: { type: 'array', items: { type: 'string' } } }),
          ),
          ...ERRORS,
        },
      },
    },
    async ({ caller }) => ({
      volumes: volumes.names.filter((name) => caller.mayReadVoxels(volumes.find(name)!)),
    }),
  );

  server.get<{ Params: { name: string } }>(
    '/v1/:name/info',
    {
      schema: {
        summary: 'What a volume is',
        params: NAME_PARAMS,
        querystring: NO_QUERY,
        response: { 200: asJson('The volume.', INFO_ANSWER), ...ERRORS },
      },
    },
    async (request, reply) => {
      const { caller, params } = request;
      return describeVolume(volumeNamed(params.name, caller, volumes), caller, signalOf(reply, life));
    },
  );

  server.get<{ Params: { name: string }; Querystring: { timestamp?: string } }>(
    '/v1/:name/timestamp',
    {
      schema: {
        summary: 'The time that a timestamp means now',
        params: NAME_PARAMS,
        querystring: TIMESTAMP_QUERY,
        response: {
          200: asJson(
            'Several requests with it get roots of the same time.',
            object({ timestamp: { type: 'string', format: 'date-time' } }),
          ),
          ...ERRORS,
        },
      },
    },
    async (request, reply) => {
      const { caller, params, query } = request,
        graph = graphOf(volumeNamed(params.name, caller, volumes), caller),
        found = await resolveJobTimestamp(query.timestamp, graph, signalOf(reply, life));
      return { timestamp: (found ?? graph.now()).toISOString() };
    },
  );
};
