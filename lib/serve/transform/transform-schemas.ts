/** The JSON schemas of the transform service's routes, for the OpenAPI document. */
import { asJson, ERROR_ANSWER } from '../api/answer-schemas.ts';
import { BINARY_FORMATS } from './binary-positions.ts';

const list = (items: object): object => ({ type: 'array', items });
const object = (properties: object): object => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
const BINARY = { schema: { type: 'string', format: 'binary' } };

const DETAIL = {
  ...ERROR_ANSWER,
  required: ['detail', 'error'],
  properties: {
    ...ERROR_ANSWER.properties,
    detail: {
      oneOf: [
        { type: 'string' },
        list(
          object({
            loc: list({ type: ['string', 'integer'] }),
            msg: { type: 'string' },
            type: { type: 'string' },
          }),
        ),
      ],
    },
  },
};
const ERRORS = {
  '4xx': asJson('The request cannot be answered; `detail` says what was expected.', DETAIL),
  '5xx': asJson('A position could not be read, or the service is stopping.', DETAIL),
};

const PATH = {
  dataset: { type: 'string', description: 'a name of GET /info' },
  scale: { type: 'integer', description: 'one of the scales of the dataset' },
};

/** A route of the queries. */
const query = (summary: string, answer: object, body: object, more: object = {}) => ({
  schema: { summary, params: object({ ...PATH, ...more }), response: { 200: answer, ...ERRORS } },
  config: { body },
});
const asText = (schema: object): object => ({ content: { 'application/json': { schema } } });

const NUMBERS = list({ type: 'number' });
const COLUMNS = asText(object({ x: NUMBERS, y: NUMBERS, z: NUMBERS }));
const ID_TEXTS = list({ type: 'string', pattern: '^[0-9]{1,20}$' });

export const BINARY_ROUTE = query(
  'Labels at positions, in binary',
  {
    description: 'Little-endian values of the type that GET /info names, one per position.',
    content: { 'application/octet-stream': BINARY },
  },
  { content: { 'application/octet-stream': BINARY } },
  { format: { type: 'string', enum: BINARY_FORMATS } },
);
export const NUMBERS_ROUTE = query(
  'Labels at positions, as numbers',
  asJson('Whole numbers with all digits.', object({ values: list(list({ type: 'integer' })) })),
  COLUMNS,
);
export const TEXTS_ROUTE = query(
  'Labels at positions, as decimal texts',
  asJson('Decimal texts.', object({ values: list(ID_TEXTS) })),
  COLUMNS,
);
export const CLOUD_VOLUME_ROUTE = query(
  'Labels at locations, as decimal texts',
  asJson('Decimal texts.', ID_TEXTS),
  asText(object({ locations: list({ ...NUMBERS, minItems: 3, maxItems: 3 }) })),
);

export const INFO_ROUTE = {
  schema: {
    summary: 'The datasets of the transform service',
    response: {
      200: asJson('The datasets that the caller may query, by name.', {
        type: 'object',
        additionalProperties: object({
          scales: list({ type: 'integer' }),
          voxel_size: {
            ...NUMBERS,
            minItems: 3,
            maxItems: 3,
            description: 'nanometres per unit of a position, xyz',
          },
          description: { type: 'string' },
          dtype: { type: 'string', description: 'the type of the values in binary answers' },
        }),
      }),
      ...ERRORS,
    },
  },
};
