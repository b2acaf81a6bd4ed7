/** The option table of `lookupTable`. */
import type { OptionTable } from '../base/option-table.ts';
import { optionGroup } from '../base/option-table.ts';
import {
  BOOLEAN,
  defineKind,
  formatValue,
  FUNCTION,
  integerFrom,
  nonEmptyText,
  oneOf,
  type ValueKind,
} from '../base/value-kinds.ts';
import { isGrapheneVolume } from '../graphene/graph-volumes.ts';
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import { PrecomputedVolume } from '../graphene/precomputed-volume.ts';
import { ROOT_OPTIONS, SCATTERED_OPTIONS } from '../graphene/reading-options.ts';
import { reasonNotVolumeName } from '../graphene/volume-name.ts';
import { toMaxFailures } from '../jobs/failure-bound.ts';
import { checkStorageCombination, STORAGE_OPTIONS } from '../storage/bucket-options.ts';
import { ID_TYPES } from '../tables/columnar/column.ts';
import { FORMATS, isDelimiter } from '../tables/formats.ts';
import { MISSING_TEXTS } from '../tables/missing.ts';
import type { LookupTableOptions } from './table-types.ts';

const isVolume = (value: unknown): boolean =>
  isGrapheneVolume(value) ||
  value instanceof PrecomputedVolume ||
  (typeof value === 'string' && value !== '');
const VOLUME = defineKind('an open volume of openGraphene or openPrecomputed, or its path', isVolume);

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isDistinct = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

const POSITION = defineKind(
  'the name of a column, or a list of different names',
  (value) =>
    isText(value) || (Array.isArray(value) && value.length > 0 && value.every(isText) && isDistinct(value)),
);
const COLUMNS = defineKind(
  'the names of three different columns',
  (value) => Array.isArray(value) && value.length === 3 && value.every(isText) && isDistinct(value),
);

const MAX_FAILURES: ValueKind = {
  expected: "a whole number from 0, or a percentage up to 100, such as '0.1%'",
  check(name, value) {
    const isOne = typeof value === 'number' || (typeof value === 'string' && value.endsWith('%'));
    if (isOne && toMaxFailures(value) !== undefined) return;
    throw new RangeError(`${name} must be ${MAX_FAILURES.expected}, not ${formatValue(value)}`);
  },
};

const ALSO: ValueKind = {
  expected: 'a list of { name, volume }',
  check(name, value) {
    if (!Array.isArray(value)) throw new TypeError(`${name} is ${ALSO.expected}`);
    const names = new Set<unknown>();
    for (const [k, entry] of (value as readonly unknown[]).entries()) {
      const { name: own, volume, ...rest } = Object(entry) as Record<string, unknown>,
        what = `${name}[${k}]`;
      const reason = typeof own === 'string' ? reasonNotVolumeName(own) : 'its name is not a text';
      if (reason !== undefined) throw new TypeError(`${what}: ${reason}`);
      if (names.has(own)) throw new TypeError(`${name}: two volumes have the name ${String(own)}`);
      names.add(own);
      VOLUME.check(`${what}.volume`, volume);
      const [other] = Object.keys(rest);
      if (other !== undefined)
        throw new TypeError(`${what} has a name and a volume, and no ${JSON.stringify(other)}`);
    }
  },
};

const BUCKET = optionGroup('credentials of buckets', STORAGE_OPTIONS);
const STORAGE: ValueKind = {
  expected: BUCKET.expected,
  check(name, value) {
    BUCKET.check(name, value);
    checkStorageCombination(value as object);
  },
};

const { resolution, mip, snap, interpolate, agglomerate, signal } = SCATTERED_OPTIONS,
  { stopLayer } = ROOT_OPTIONS;

/** Options of `lookupTable`. */
export const LOOKUP_TABLE_OPTIONS = {
  volume: { kind: VOLUME, required: true, says: 'the volume: an open one, which stays open, or its path' },
  open: {
    kind: optionGroup('options of openGraphene', GRAPHENE_OPTIONS),
    default: 'none',
    says: 'how volumes that are paths are opened: options of `openGraphene` and `openPrecomputed`',
  },
  also: {
    kind: ALSO,
    default: 'none',
    says: 'other volumes that are read at the same points: `{ name, volume }`; their columns begin with the name',
  },
  position: {
    kind: POSITION,
    default: 'the columns of `columns`',
    says: 'columns that hold whole positions, or the start of the names of three columns',
  },
  columns: {
    kind: COLUMNS,
    default: 'x, y and z, in lower or upper case',
    says: 'the columns of the coordinates',
  },
  resolution,
  mip,
  snap,
  interpolate,
  agglomerate,
  timestamp: { ...ROOT_OPTIONS.timestamp, says: 'timestamp of the roots of the whole table' },
  timestampColumn: {
    kind: nonEmptyText('the name of a column'),
    default: 'none',
    says: 'a column with a timestamp for each row',
  },
  stopLayer,
  format: {
    kind: oneOf(...FORMATS),
    default: 'that of the suffix of the source',
    says: 'the format of the source; a stream needs it',
  },
  outFormat: {
    kind: oneOf(...FORMATS),
    default: 'that of the suffix of the sink, else that of the source',
    says: 'the format of the sink',
  },
  delimiter: {
    kind: defineKind(
      "one character, such as ';'",
      (value) => typeof value === 'string' && isDelimiter(value),
    ),
    default: 'that of the format',
    says: 'the character between the fields of CSV and TSV',
  },
  decimal: {
    kind: oneOf('.', ','),
    default: "'.'",
    says: 'the decimal mark of the coordinates in CSV and TSV',
  },
  idType: {
    kind: oneOf(...ID_TYPES),
    default: "that of a column that is replaced, else 'uint64'",
    says: 'the type of IDs in columnar formats',
  },
  missing: {
    kind: oneOf(...MISSING_TEXTS),
    default: "'empty'",
    says: 'the text for an ID without an answer in CSV and TSV',
  },
  replace: {
    kind: BOOLEAN,
    default: 'false',
    says: 'overwrite output columns that the source has; without it they are an error',
  },
  strict: { kind: BOOLEAN, default: 'false', says: 'make a row without a valid point an error' },
  maxFailures: {
    kind: MAX_FAILURES,
    default: 'all',
    says: 'how many points may need attention, a number or a percentage; with more, nothing is written',
  },
  tempDir: {
    kind: nonEmptyText('the path of a folder'),
    default: 'TMPDIR, else the folder of the sink, else that of the system',
    says: 'folder of temporary files',
  },
  storage: {
    kind: STORAGE,
    default: 'as found for volumes',
    says: 'credentials of the buckets of the source and the sink',
  },
  retries: {
    kind: integerFrom(0),
    default: '4',
    says: 'number of retries of requests for the source and the sink',
  },
  signal: { ...signal, says: 'ends the look-up; nothing is written' },
  onProgress: { kind: FUNCTION, says: 'receives how far the look-up is' },
  warn: { kind: FUNCTION, default: 'console.warn', says: 'receives warnings' },
} as const satisfies OptionTable<LookupTableOptions>;
