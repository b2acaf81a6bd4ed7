/**
 * The HTTP API of the transform service, for its queries: clients of it change a URL and nothing else.
 * Source: bocklab/transform_service, app/main.py; fafbseg-py 3.2, fafbseg/spine/base.py; natverse/fafbseg,
 * R/flywire-api.R.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { cooperativeRunner, type PausableWork } from '../../base/cooperative-work.ts';
import { errorJson } from '../../base/error-json.ts';
import type { PointInput } from '../../points/point-input.ts';
import { receive, requireBodyLength } from '../api/receive-body.ts';
import { signalOf } from '../api/request-signal.ts';
import { errorHeaders, HttpRefusal, httpStatusOf } from '../http-errors.ts';
import type { ServiceParts, ServicePlugin } from '../service-types.ts';
import { BINARY_FORMATS, hasRounded, readBinaryPositions, type BinaryFormat } from './binary-positions.ts';
import { readColumns, readLocations } from './json-positions.ts';
import { readLabels, type ReadingRequest } from './read-labels.ts';
import { labelBytes, labelJson, type LabelArray } from './transform-answers.ts';
import { TransformCatalogue, type Question } from './transform-catalogue.ts';
import { FLOAT32_WHOLE } from './transform-dataset.ts';
import { detailOf, SchemaRefusal, statusLineText } from './transform-error.ts';
import {
  BINARY_ROUTE,
  CLOUD_VOLUME_ROUTE,
  INFO_ROUTE,
  NUMBERS_ROUTE,
  TEXTS_ROUTE,
} from './transform-schemas.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const QUERY = '/query/dataset/:dataset/s/:scale';

/** One form of the queries: how its positions are read, and how its labels are written. */
interface Form {
  path: string;
  schema: typeof BINARY_ROUTE;
  type: string;
  read: (body: Buffer, request: FastifyRequest) => PausableWork<Positions>;
  write: (labels: LabelArray, question: Question) => PausableWork<Buffer>;
}

interface Positions {
  points: PointInput;
  count: number;
  /** Whether float32 may have rounded some of them. */
  mayBeRounded: (question: Question) => PausableWork<boolean> | false;
}

/** Registers `GET /info` and the routes below `/query`. */
export const registerTransform: ServicePlugin = (server, parts) => {
  const { volumes, options } = parts;
  const catalogue = new TransformCatalogue(volumes, (message) => options.open.logger?.warn(message));
  server.register(async (scope) => {
    leaveBodiesUnread(scope);
    scope.setErrorHandler(sendDetail);
    withAndWithoutSlash('/info', INFO_ROUTE, (url, schema) =>
      scope.get(url, schema, async ({ caller }) => catalogue.info((volume) => caller.mayReadVoxels(volume))),
    );
    for (const form of formsOf(parts))
      withAndWithoutSlash(`${QUERY}/${form.path}`, form.schema, (url, schema) =>
        scope.post(url, schema, async (request, reply) => {
          const { caller } = request,
            params = request.params as Record<'dataset' | 'scale', string>;
          const question = catalogue.find(params, (volume) => caller.mayReadVoxels(volume));
          return answer(form, question, request, reply, parts);
        }),
      );
  });
};

function formsOf({ settings: { maxPoints } }: ServiceParts): Form[] {
  const columns = {
    type: JSON_TYPE,
    *read(body: Buffer): PausableWork<Positions> {
      const points = yield* readColumns(body, maxPoints);
      return { points, count: points.x.length, mayBeRounded: () => false };
    },
  };
  const inValues = { before: '{"values":[', after: ']}' };
  return [
    {
      path: 'values_binary/format/:format',
      schema: BINARY_ROUTE,
      type: 'application/octet-stream',

      *read(body, { params }) {
        const { format } = params as { format: BinaryFormat };
        if (!BINARY_FORMATS.includes(format))
          throw new SchemaRefusal(
            ['path', 'format'],
            `expected ${BINARY_FORMATS.join(' or ')}`,
            'type_error.enum',
          );
        const points = readBinaryPositions(body, format, maxPoints);
        return {
          points,
          count: body.length / 12,
          mayBeRounded: ({ dataset }) => dataset.isLarge && hasRounded(points),
        };
      },
      write: (labels, { dataset }) => labelBytes(labels, dataset.dtype),
    },
    {
      ...columns,
      path: 'values_array',
      schema: NUMBERS_ROUTE,
      write: (labels) => labelJson(labels, { quote: false, ...inValues }),
    },
    {
      ...columns,
      path: 'values_array_string_response',
      schema: TEXTS_ROUTE,
      write: (labels) => labelJson(labels, { quote: true, ...inValues }),
    },
    {
      path: 'cloud_volume_server',
      schema: CLOUD_VOLUME_ROUTE,
      type: JSON_TYPE,
      *read(body) {
        const points = yield* readLocations(body, maxPoints);
        return { points, count: points.length / 3, mayBeRounded: () => false };
      },
      write: (labels) => labelJson(labels, { quote: true }),
    },
  ];
}

async function answer(
  form: Form,
  question: Question,
  request: FastifyRequest,
  reply: FastifyReply,
  { settings, metrics, life }: ServiceParts,
): Promise<Buffer> {
  refuseEncodedBody(request);
  requireBodyLength(request.raw, settings.maxBodyBytes);
  const signal = signalOf(reply, life),
    body = await wholeOf(receive(request.raw, settings)),
    { points, count, mayBeRounded } = await cooperativeRunner.run(form.read(body, request), signal);
  request.pass?.grow(count);
  const rounding = mayBeRounded(question);
  if (rounding && (await cooperativeRunner.run(rounding, signal)))
    void reply.header('Graphene-Points-Warning', ROUNDED);
  const reading: ReadingRequest = { signal, note: (status, stats) => metrics.noteAnswers(status, stats) };
  const labels = await readLabels(question.volume.opened, question.dataset, question.mip, points, reading),
    bytes = await cooperativeRunner.run(form.write(labels, question), signal);
  void reply.type(form.type);
  reply.raw.setTimeout(settings.stallMs, () => reply.raw.destroy()); // a client that does not read
  return bytes;
}

const ROUNDED = `coordinates of ${FLOAT32_WHOLE} and more are rounded by float32: send them as JSON`;

async function wholeOf(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

/** Takes bodies of every type, and of none: clients send none, or a wrong one. */
function leaveBodiesUnread(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
  scope.setValidatorCompiler(() => () => true); // the schemas are for the OpenAPI document
}

/** Refuses bodies that would be read as something that they are not. */
function refuseEncodedBody({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity')
    throw new HttpRefusal(415, `the body has the content encoding ${encoding}: send it without one`);
  if (/msgpack/i.test(headers['content-type'] ?? ''))
    throw new HttpRefusal(415, 'msgpack is not read here: send JSON');
}

/** The original answers a path with a slash at its end, too. The document shows one of the two. */
function withAndWithoutSlash<Route extends { schema: object }>(
  path: string,
  route: Route,
  register: (url: string, route: Route) => unknown,
): void {
  register(path, route);
  register(`${path}/`, { ...route, schema: { ...route.schema, hide: true } });
}

/** Sends an error in the form of the original, and says it in the status line. */
function sendDetail(error: Error, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.raw.statusMessage = statusLineText(error.message);
  return reply
    .code(httpStatusOf(error))
    .headers(errorHeaders(error))
    .type('application/json')
    .send({ detail: detailOf(error), error: errorJson(error) });
}
