/**
 * The option tables of `volume.graph`. Each option is described once: its values, its default, its
 * command-line flag, and what it is for.
 */
import {
  BOOLEAN,
  defineKind,
  oneOf,
  SIGNAL,
  TIMEOUT,
  integerFrom,
  type ValueKind,
} from '../../base/value-kinds.ts';
import { optionGroup, type OptionTable } from '../../base/option-table.ts';
import { TIMESTAMP_KIND } from '../ids/timestamp.ts';
import type { EditOptions } from './edits.ts';
import type { CallOptions, TimedOptions } from './endpoints.ts';
import { BOUNDS_OPTIONS } from './check-arguments.ts';
import type { LeavesOptions } from './nodes.ts';

const NUMBER = defineKind('a number', (value) => typeof value === 'number');
/** Makes a value of another type a TypeError. */
const number = (other: ValueKind): ValueKind => ({
  expected: other.expected,
  check: (name, value) => {
    NUMBER.check(name, value);
    other.check(name, value);
  },
});

const TEXTS = defineKind(
  'an object of texts, numbers and booleans',
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
);
const PLAIN = defineKind('a string, a number or a boolean', (value) =>
  ['string', 'number', 'boolean'].includes(typeof value),
);
const QUERY: ValueKind = {
  expected: TEXTS.expected,
  check: (name, value) => {
    TEXTS.check(name, value);
    for (const [key, part] of Object.entries(value as object))
      if (part !== undefined) PLAIN.check(`${name}.${key}`, part);
  },
};

const WHEN = 'ISO 8601 (UTC without a zone), unix seconds, settled, or mat or mat_943 of a datastack';

/** Options of every call. */
export const COMMON_OPTIONS = {
  signal: { kind: SIGNAL, default: 'none', says: 'aborts the call' },
  timeoutMs: {
    kind: number(TIMEOUT),
    default: "the volume's timeoutMs; no limit for edits",
    says: 'time limit of the call in ms, for all its requests together',
  },
  borrow: {
    kind: BOOLEAN,
    default: 'false',
    says: 'do not copy a BigUint64Array: the caller does not write to it until the call has ended',
  },
} as const;

/** Options of calls whose replies have a size limit. */
export const CALL_OPTIONS = {
  ...COMMON_OPTIONS,
  maxBytes: {
    kind: number(integerFrom(1)),
    default: '256 MiB',
    says: 'longest reply that is accepted, in bytes',
  },
} as const satisfies OptionTable<CallOptions>;

export const TIMESTAMP_OPTION = {
  kind: TIMESTAMP_KIND,
  default: "the volume's timestamp, or else now",
  flag: '--timestamp <time>',
  says: 'the timestamp',
  flagSays: `the timestamp: ${WHEN}`,
} as const;

/** Options of calls with a timestamp. */
export const TIMED_OPTIONS = {
  ...CALL_OPTIONS,
  timestamp: TIMESTAMP_OPTION,
} as const satisfies OptionTable<TimedOptions>;

/** Options of calls about a span of time. */
export const WINDOW_OPTIONS = {
  ...CALL_OPTIONS,
  from: {
    kind: TIMESTAMP_KIND,
    default: 'as far back as the history goes',
    flag: '--from <time>',
    says: 'the earlier timestamp',
    flagSays: `the earlier timestamp: ${WHEN}`,
  },
  to: {
    kind: TIMESTAMP_KIND,
    default: "the volume's timestamp, or else now",
    flag: '--to <time>',
    says: 'the later timestamp; an edit at exactly this millisecond is included',
  },
} as const;

/** Options of edits. */
export const EDIT_OPTIONS = {
  ...CALL_OPTIONS,
  remesh: {
    kind: BOOLEAN,
    default: "true, the server's default",
    says: 'whether the server makes new meshes',
  },
  priority: {
    kind: BOOLEAN,
    default: "true, the server's default",
    says: 'whether the new meshes are urgent',
  },
} as const satisfies OptionTable<EditOptions>;

export const STOP_LAYER_OPTION = {
  kind: number(integerFrom(1)),
  default: 'the root layer',
  says: 'layer at which the look-up ends, from 2 to the root layer',
} as const;

export const BOUNDS_OPTION = {
  kind: optionGroup('{ min, max }, each of three numbers', BOUNDS_OPTIONS),
  default: 'the whole object',
  flag: '--bounds <x0,y0,z0,x1,y1,z1>',
  says: 'only nodes whose graph chunk touches this half-open box; the requested node must touch it, too',
} as const;

/** Options of `leaves` and `leavesMany`. */
export const LEAVES_OPTIONS = {
  ...CALL_OPTIONS,
  bounds: BOUNDS_OPTION,
  stopLayer: {
    kind: number(integerFrom(1)),
    default: '1',
    flag: '--stop-layer <layer>',
    says: 'layer of the leaves: 1 for supervoxels, 2 for layer-2 nodes, …',
  },
  verify: {
    kind: BOOLEAN,
    default: 'false',
    flag: '--verify',
    says: 'remove leaves that an undone merge has left there; costs one more request per node, and a root look-up',
  },
} as const satisfies OptionTable<LeavesOptions>;

export const LATEST_OPTION = {
  kind: BOOLEAN,
  default: 'false',
  flag: '--latest',
  says: 'return the last millisecond at which it was a root; `timestamp` for a root that still is one',
  flagSays: 'print the last millisecond at which it was a root; --timestamp for a root that still is one',
} as const;

export const PRECISE_OPTION = {
  kind: BOOLEAN,
  default: 'false',
  flag: '--precise',
  says: 'use centroids of meshes instead of chunk centres',
} as const;

export const TIMESTAMP_PAST_OPTION = { kind: TIMESTAMP_KIND, says: 'the earlier timestamp' } as const;

export const RAW_OPTION = {
  kind: BOOLEAN,
  default: 'false',
  flag: '--raw',
  says: "the server's own list: also roots that were created and replaced in between",
} as const;

export const FILTERED_OPTION = {
  kind: BOOLEAN,
  default: 'true',
  flag: '--unfiltered',
  says: 'only edits that concern the root itself',
  flagSays: 'also edits that do not concern the root itself',
  flagMeans: false,
} as const;

export const INCLUDE_UNDONE_OPTION = {
  kind: BOOLEAN,
  default: 'false',
  flag: '--include-undone',
  says: 'also edits that were undone',
} as const;

export const BY_OPTION = {
  kind: oneOf('level2', 'supervoxels'),
  default: "'level2'",
  flag: '--by <voters>',
  says: 'whose votes count: layer-2 nodes or supervoxels',
} as const;

export const MINCUT_OPTION = {
  kind: BOOLEAN,
  default: 'true',
  says: 'let the server search for the best cut; false: cut between each source and the sink of the same index',
} as const;

/** Options of `request`. */
export const REQUEST_OPTIONS = {
  ...CALL_OPTIONS,
  method: { kind: oneOf('GET', 'POST'), default: "'GET'", says: 'HTTP method; a GET may have a body here' },
  query: {
    kind: QUERY,
    default: 'none',
    flag: '--query <name=value>',
    says: 'query parameters of the URL',
    flagSays: 'a query parameter; may be repeated',
  },
  body: {
    kind: defineKind('anything', () => true),
    default: 'no body',
    flag: '--body <json>',
    says: 'the body: bytes are sent unchanged, anything else as JSON',
    flagSays: 'the body, sent by POST; 64-bit integers stay exact',
  },
  as: {
    kind: oneOf('json', 'ids', 'text', 'bytes'),
    default: "'json'",
    flag: '--as <what>',
    says: 'how the answer is read: JSON, binary uint64 IDs, text, or bytes',
  },
  retry: { kind: BOOLEAN, default: 'true for GET', says: 'whether temporary failures are retried' },
} as const;
