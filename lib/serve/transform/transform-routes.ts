/**
 * The HTTP API of the transform service, for its queries: clients of it change a URL and nothing else.
 * Source: bocklab/transform_service, app/main.py; fafbseg-py 3.2, fafbseg/spine/base.py; natverse/fafbseg,
 * R/flywire-api.R.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cooperativeRunner } from '../../base/cooperative-work.ts';
import { errorJson } from '../../base/error-json.ts';
import type { PointInput } from '../../points/point-input.ts';
import { signalOf } from '../api/request-signal.ts';
import { HttpRefusal, httpStatusOf } from '../http-errors.ts';
import type { ServicePlugin } from '../service-types.ts';
import { BINARY_FORMATS, hasRounded, readBinaryPositions, type BinaryFormat } from './binary-positions.ts';
import { TransformCatalogue, type Question } from './transform-catalogue.ts';
import { readColumns, readLocations } from './json-positions.ts';
import { readLabels } from './read-labels.ts';
import { labelBytes, labelJson, type LabelArray } from './transform-answers.ts';
import { FLOAT32_WHOLE } from './transform-dataset.ts';
import { detailOf, SchemaRefusal, statusLineText } from './transform-error.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const QUERY = '/query/dataset/:dataset/s/:scale';

/** Registers `GET /info` and the routes below `/query`. */
export const registerTransform: ServicePlugin = (server, { volumes, options }) => {
  const catalogue = new TransformCatalogue(volumes, (message) => options.open.logger?.warn(message));
  server.register(async (scope) => {
    readBodiesAsBytes(scope);
    scope.setErrorHandler(sendDetail);

    for (const path of ['/info', '/info/'])
      scope.get(path, (request) => catalogue.info((volume) => request.caller.mayReadVoxels(volume)));

    const post = (path: string, answer: Answer): void => {
      for (const url of [`${QUERY}/${path}`, `${QUERY}/${path}/`])
        scope.post(url, async (request, reply) => {
          const question = catalogue.find(request.params as Record<'dataset' | 'scale', string>, (volume) =>
            request.caller.mayReadVoxels(volume),
          );
          checkBody(request);
          return await answer(question, request, reply);
        });
    };

    post('values_binary/format/:format', async (question, request, reply) => {
      const { format } = request.params as { format: BinaryFormat };
      if (!BINARY_FORMATS.includes(format))
        throw new SchemaRefusal(
          ['path', 'format'],
          `expected ${BINARY_FORMATS.join(' or ')}`,
          'type_error.enum',
        );
      const signal = signalOf(request, reply),
        positions = readBinaryPositions(bodyOf(request), format);
      if (question.dataset.isLarge && (await cooperativeRunner.run(hasRounded(positions), signal)))
        reply.header('Graphene-Points-Warning', ROUNDED);
      const labels = await ask(question, positions, signal);
      reply.type('application/octet-stream');
      return await cooperativeRunner.run(labelBytes(labels, question.dataset.dtype), signal);
    });
    const inColumns =
      (quote: boolean): Answer =>
      async (question, request, reply) => {
        const signal = signalOf(request, reply),
          positions = await cooperativeRunner.run(readColumns(bodyOf(request)), signal);
        const labels = await ask(question, positions, signal);
        reply.type(JSON_TYPE);
        const text = labelJson(labels, { quote, before: '{"values":[', after: ']}' });
        return await cooperativeRunner.run(text, signal);
      };
    post('values_array', inColumns(false));
    post('values_array_string_response', inColumns(true));
    post('cloud_volume_server', async (question, request, reply) => {
      const signal = signalOf(request, reply),
        positions = await cooperativeRunner.run(readLocations(bodyOf(request)), signal);
      const labels = await ask(question, positions, signal);
      reply.type(JSON_TYPE);
      return await cooperativeRunner.run(labelJson(labels, { quote: true }), signal);
    });
  });
};

/** Answers a question: the bytes of the reply. */
type Answer = (question: Question, request: FastifyRequest, reply: FastifyReply) => Promise<Buffer>;

const ask = (
  { volume, dataset, mip }: Question,
  positions: PointInput,
  signal: AbortSignal,
): Promise<LabelArray> => readLabels(volume.opened, dataset, mip, positions, signal);

const ROUNDED = `coordinates of ${FLOAT32_WHOLE} and more are rounded by float32: send them as JSON`;

/** Takes bodies as they are, whatever type they claim: clients send none, or a wrong one. */
function readBodiesAsBytes(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

const bodyOf = ({ body }: FastifyRequest): Buffer => (body as Buffer | undefined) ?? Buffer.alloc(0);

/** Refuses bodies that would be read as something that they are not. */
function checkBody({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new HttpRefusal(415, `the body has the content encoding ${encoding}: send it without one`);
  if (/msgpack/i.test(headers['content-type'] ?? ''))
    throw new HttpRefusal(415, 'msgpack is not read here: send JSON');
}

/** Sends an error in the form of the original, and says it in the status line. */
function sendDetail(error: Error, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.raw.statusMessage = statusLineText(error.message);
  return reply.code(httpStatusOf(error)).send({ detail: detailOf(error), error: errorJson(error) });
}
