/** The JSON schemas of bodies and answers, for the OpenAPI document. Bodies are checked row by row when they are read. */
import type { ReplyFormat } from '../bodies/reply-formats.ts';
import { BODY_TYPES } from '../bodies/read-rows.ts';
import { PointStatus, statusText } from '../../points/status.ts';

const ID_TEXT = { type: ['string', 'null'], pattern: '^[0-9]{1,20}$' } as const;
const list = (items: object): object => ({ type: 'array', items });

const BINARY = { type: 'string', format: 'binary' };

/** A column of IDs as decimal texts; null where there is none. */
const IDS = list(ID_TEXT);
const STATUSES = list({ type: 'string', enum: Object.values(PointStatus).map(statusText) });
const ISO = { type: ['string', 'null'], format: 'date-time' };
const NUMBERS = list({ type: ['number', 'null'] });

/** Columns of an answer as JSON. */
const columns = (properties: object, required: readonly string[], patternProperties?: object): object => ({
  type: 'object',
  additionalProperties: false,
  required,
  properties: { timestamp: ISO, ...properties },
  ...(patternProperties && { patternProperties }),
});

/** With `stop_layer`, the column is named after the layer. */
const LAYER_IDS = { '^l[0-9]+_id$': IDS };

/** The answer of a request for points. */
export const POINTS_ANSWER = columns(
  { supervoxel_id: IDS, root_id: IDS, snapped_nm: NUMBERS, status: STATUSES },
  ['timestamp', 'supervoxel_id', 'status'],
  LAYER_IDS,
);

/** The answer of a request for roots. */
export const ROOTS_ANSWER = columns({ root_id: IDS, status: STATUSES }, ['timestamp', 'status'], LAYER_IDS);

/** The answer of a request for latest roots. */
export const LATEST_ANSWER = columns(
  {
    is_latest: list({ type: ['boolean', 'null'] }),
    latest_root_id: IDS,
    confidence: NUMBERS,
    status: STATUSES,
  },
  ['timestamp', 'is_latest', 'latest_root_id', 'confidence', 'status'],
);

/** An error. */
export const ERROR_ANSWER = {
  type: 'object',
  additionalProperties: true,
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      additionalProperties: true,
      required: ['name', 'message'],
      properties: {
        name: { type: 'string' },
        code: { type: 'string', description: 'The reason in one word.' },
        message: { type: 'string', description: 'What was wrong, and what was expected.' },
      },
    },
  },
} as const;

const describe = (description: string, schema: object): object => ({
  description,
  content: { 'application/json': { schema } },
});

/** The errors that every route may answer with. */
export const ERRORS = {
  '4xx': describe('The request cannot be answered; `message` says what was expected.', ERROR_ANSWER),
  '5xx': describe('A server behind the service failed, or the service is stopping.', ERROR_ANSWER),
};

/** An answer that comes in several formats. */
export const inFormats = (formats: readonly ReplyFormat[], description: string, schema: object): object => ({
  description,
  headers: {
    'Graphene-Points-Timestamp': {
      description: 'The timestamp of the roots, where roots were looked up.',
      type: 'string',
      format: 'date-time',
    },
  },
  content: Object.fromEntries(
    formats.map(({ name, mediaType }) => [
      mediaType,
      { schema: name === 'json' ? schema : name === 'csv' ? { type: 'string' } : BINARY },
    ]),
  ),
});

/** An answer as JSON. */
export const asJson = (description: string, schema: object): object => describe(description, schema);

const bodyOf = (json: object): object => ({
  content: Object.fromEntries(
    BODY_TYPES.map((type) => [
      type,
      { schema: type === 'application/json' ? json : type.startsWith('text/') ? { type: 'string' } : BINARY },
    ]),
  ),
});

const COORDINATES = list({ type: 'number' });
const object = (properties: object): object => ({
  type: 'object',
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
});

/** The bodies of a request for points. */
export const POINTS_BODY = bodyOf({
  oneOf: [
    object({ points: list({ type: 'array', items: { type: 'number' }, minItems: 3, maxItems: 3 }) }),
    object({ x: COORDINATES, y: COORDINATES, z: COORDINATES }),
  ],
});

/** The bodies of a request for IDs. */
export const IDS_BODY = bodyOf(object({ ids: list({ type: 'string', pattern: '^[0-9]{1,20}$' }) }));

const VEC3 = { type: 'array', items: { type: 'number' }, minItems: 3, maxItems: 3 };

/** What a volume is. */
export const INFO_ANSWER = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'kind', 'data_type', 'scales', 'roots', 'neuroglancer'],
  properties: {
    name: { type: 'string' },
    kind: { type: 'string', enum: ['graph', 'precomputed'] },
    data_type: { type: 'string' },
    scales: list({
      type: 'object',
      additionalProperties: false,
      required: ['mip', 'resolution', 'size', 'offset', 'chunk_size'],
      properties: {
        mip: { type: 'integer' },
        resolution: { ...VEC3, description: 'nanometres, xyz' },
        size: { ...VEC3, description: 'voxels, xyz' },
        offset: { ...VEC3, description: 'the first voxel, xyz' },
        chunk_size: { ...VEC3, description: 'voxels, xyz' },
      },
    }),
    mip: { type: 'integer', description: 'The scale that is read unless a request names another.' },
    viewer_resolution: {
      ...VEC3,
      description: 'nanometres, xyz, of the coordinates in the viewer of the datastack',
    },
    roots: { type: 'boolean', description: 'Whether this caller may ask for roots.' },
    timestamps: {
      type: 'object',
      additionalProperties: false,
      required: ['settled'],
      properties: {
        settled: { type: 'string', format: 'date-time' },
        materializations: list({ type: 'integer' }),
      },
    },
    neuroglancer: {
      type: 'object',
      additionalProperties: false,
      required: ['source'],
      properties: {
        source: {
          type: ['string', 'null'],
          description: 'The source of a layer; null if a browser cannot read it.',
        },
      },
    },
  },
} as const;
