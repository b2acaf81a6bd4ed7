/** `POST /v1/{name}/points`: the supervoxels and the roots at points. */
import type { FastifyInstance } from 'fastify';
import { pointsAnswerJson } from '../bodies/points-json.ts';
import type { ServiceParts } from '../service-types.ts';
import { askPoints } from './ask-points.ts';
import { volumeNamed } from './volume-named.ts';
import { POINTS_QUERY, questionOf, type PointsQuery } from './points-query.ts';
import { signalOf } from './request-signal.ts';

const BODY = {
  type: 'object',
  additionalProperties: false,
  required: ['points'],
  properties: { points: { type: 'array', items: { type: 'array' } } },
};

export function registerPoints(server: FastifyInstance, { volumes }: ServiceParts): void {
  server.post<{
    Params: { name: string };
    Querystring: PointsQuery;
    Body: { points: [number, number, number][] };
  }>('/v1/:name/points', { schema: { querystring: POINTS_QUERY, body: BODY } }, async (request, reply) => {
    const volume = volumeNamed(request.params.name, request.caller, volumes),
      question = { ...questionOf(request.query), signal: signalOf(request, reply) };
    return pointsAnswerJson(await askPoints(request.body.points, volume, request.caller, question));
  });
}
