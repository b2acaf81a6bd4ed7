/** The routes whose bodies and answers are rows: points, roots, latest. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { bodyFormatOf, idsReader, pointsReader } from '../bodies/read-rows.ts';
import {
  chooseReplyFormat,
  ID_REPLY_FORMATS,
  REPLY_FORMATS,
  type ReplyFormat,
} from '../bodies/reply-formats.ts';
import type { ServicePlugin } from '../service-types.ts';
import {
  ERRORS,
  IDS_BODY,
  inFormats,
  LATEST_ANSWER,
  POINTS_ANSWER,
  POINTS_BODY,
  ROOTS_ANSWER,
} from './answer-schemas.ts';
import { createLatestRootsLookUp, createRootsLookUp, graphOf } from './ids-look-up.ts';
import { createPointsLookUp } from './points-look-up.ts';
import {
  LATEST_QUERY,
  NAME_PARAMS,
  POINTS_QUERY,
  questionOf,
  ROOTS_QUERY,
  type PointsParameters,
  type RootsParameters,
} from './query-schemas.ts';
import { requireBodyLength } from './receive-body.ts';
import { signalOf } from './request-signal.ts';
import { answerRows } from './send-answer.ts';
import { volumeNamed } from './volume-named.ts';

interface Named {
  name: string;
}

/** Registers `POST /v1/{name}/points`, `roots` and `latest`. Bodies are not read before the request is checked. */
export const registerRows: ServicePlugin = (server, parts) => {
  const { volumes, settings, life } = parts;
  server.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    const prepare = (
      request: FastifyRequest,
      reply: FastifyReply,
      formats: readonly ReplyFormat[],
      format: string | undefined,
    ) => {
      const { headers, raw } = request;
      const chosen = chooseReplyFormat(formats, format, headers.accept),
        body = bodyFormatOf(headers['content-type'], headers['content-encoding']);
      requireBodyLength(raw, settings.maxBodyBytes);
      return { format: chosen, body, signal: signalOf(reply, life) };
    };

    scope.post<{ Params: Named; Querystring: PointsParameters }>(
      '/v1/:name/points',
      {
        schema: {
          summary: 'Supervoxels and roots at points',
          params: NAME_PARAMS,
          querystring: POINTS_QUERY,
          response: {
            200: inFormats(REPLY_FORMATS, 'One row per point, in the order of the points.', POINTS_ANSWER),
            ...ERRORS,
          },
        },
        config: { body: POINTS_BODY },
      },
      async (request, reply) => {
        const { caller, params, query } = request,
          lookUp = createPointsLookUp(volumeNamed(params.name, caller, volumes), caller, questionOf(query)),
          { body, ...rest } = prepare(request, reply, REPLY_FORMATS, query.format);
        const reader = pointsReader(body, query.dtype ?? 'float64', settings.maxPoints);
        return answerRows(request, reply, { lookUp, reader, ...rest }, parts);
      },
    );

    scope.post<{ Params: Named; Querystring: RootsParameters }>(
      '/v1/:name/roots',
      {
        schema: {
          summary: 'Roots of supervoxels',
          params: NAME_PARAMS,
          querystring: ROOTS_QUERY,
          response: {
            200: inFormats(ID_REPLY_FORMATS, 'One row per ID, in the order of the IDs.', ROOTS_ANSWER),
            ...ERRORS,
          },
        },
        config: { body: IDS_BODY },
      },
      async (request, reply) => {
        const { caller, params, query } = request,
          graph = graphOf(volumeNamed(params.name, caller, volumes), caller),
          { timestamp, stop_layer: stopLayer, validate } = query,
          lookUp = createRootsLookUp(graph, { timestamp, stopLayer, validate }),
          { body, ...rest } = prepare(request, reply, ID_REPLY_FORMATS, query.format);
        const reader = idsReader(body, 'supervoxel_id', settings.maxPoints);
        return answerRows(request, reply, { lookUp, reader, ...rest }, parts);
      },
    );

    scope.post<{ Params: Named; Querystring: RootsParameters }>(
      '/v1/:name/latest',
      {
        schema: {
          summary: 'What became of roots',
          params: NAME_PARAMS,
          querystring: LATEST_QUERY,
          response: {
            200: inFormats(ID_REPLY_FORMATS, 'One row per root, in the order of the roots.', LATEST_ANSWER),
            ...ERRORS,
          },
        },
        config: { body: IDS_BODY },
      },
      async (request, reply) => {
        const { caller, params, query } = request,
          graph = graphOf(volumeNamed(params.name, caller, volumes), caller),
          lookUp = createLatestRootsLookUp(graph, query.timestamp),
          { body, ...rest } = prepare(request, reply, ID_REPLY_FORMATS, query.format);
        const reader = idsReader(body, 'root_id', settings.maxPoints);
        return answerRows(request, reply, { lookUp, reader, ...rest }, parts);
      },
    );
  });
};
