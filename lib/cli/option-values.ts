/**
 * Parses the values of options. Each function throws InvalidArgumentError for an invalid value, which becomes
 * exit code 2.
 */
import { InvalidArgumentError } from 'commander';
import { MAX_TIMEOUT_MS } from '../base/deadline.ts';
import { parsePositiveVec3 } from '../base/vec3.ts';
import { reasonNotVolumeName } from '../graphene/volume-name.ts';
import { isDelimiter } from '../tables/formats.ts';
import { toMaxFailures, type MaxFailures } from '../jobs/failure-bound.ts';
import type { Vec3 } from '../base/vec3.ts';
import { parseTimestamp } from '../chunkedgraph/ids/timestamp.ts';

/** Returns a text that is not empty. */
export function parseText(value: string): string {
  if (value === '') throw new InvalidArgumentError('the value is empty.');
  return value;
}

/** Collects the values of an option that may be repeated. They must differ. */
export function parseTexts(value: string, before: readonly string[] = []): string[] {
  if (before.includes(value)) throw new InvalidArgumentError('the value is given twice.');
  return [...before, parseText(value)];
}

/** Another volume of a look-up, and the name of its columns. */
export interface NamedPath {
  name: string;
  path: string;
}

/** The unit of positions of a named volume. */
export interface NamedVoxelSize {
  name: string;
  /** Nanometres, xyz. */
  voxelSize: Vec3;
}

/** Collects named volumes: `em=gs://BUCKET/PATH`. The names must differ. */
export function parseNamedPath(value: string, before: readonly NamedPath[] = []): NamedPath[] {
  const equals = value.indexOf('='),
    name = value.slice(0, equals),
    path = value.slice(equals + 1);
  if (equals < 0 || path === '')
    throw new InvalidArgumentError('expected NAME=CLOUDPATH, such as em=gs://BUCKET/PATH.');
  const reason = reasonNotVolumeName(name);
  if (reason !== undefined) throw new InvalidArgumentError(`${reason}.`);
  if (before.some((other) => other.name === name))
    throw new InvalidArgumentError(`the name ${name} is given twice.`);
  return [...before, { name, path }];
}

/** Collects voxel sizes of named volumes: `banc=4,4,45`. The names must differ. */
export function parseNamedVoxelSize(value: string, before: readonly NamedVoxelSize[] = []): NamedVoxelSize[] {
  const [name, size = ''] = value.split('=', 2),
    voxelSize = parseNumbers(size) as [number, number, number];
  if (before.some((other) => other.name === name))
    throw new InvalidArgumentError(`the name ${name} is given twice.`);
  return [...before, { name, voxelSize }];
}

/** Parses the character between the fields of a table: one ASCII character, or `tab`. */
export function parseDelimiter(value: string): string {
  const character = value === 'tab' || value === '\\t' ? '\t' : value;
  if (!isDelimiter(character))
    throw new InvalidArgumentError("expected one character, such as ';' or '|', or tab.");
  return character;
}

/** Parses a whole number. Returns NaN for any other text. */
export const parseInteger = (value: string): number => (/^\d+$/.test(value) ? Number(value) : NaN);

/** Makes a parser for whole numbers of at least `least`. */
export const parseWholeNumber =
  (least: number) =>
  (value: string): number => {
    const number = parseInteger(value);
    if (!(number >= least && Number.isSafeInteger(number)))
      throw new InvalidArgumentError(`expected a whole number of at least ${least}.`);
    return number;
  };

/** Parses a positive, finite number. */
export function parsePositiveNumber(value: string): number {
  const number = value.trim() === '' ? NaN : Number(value);
  if (!(number > 0 && Number.isFinite(number))) throw new InvalidArgumentError('expected a positive number.');
  return number;
}

/** Parses seconds and returns milliseconds, no more than a timer can wait: `2.5` gives 2500. */
export function parseSeconds(value: string): number {
  const ms = Math.ceil(parsePositiveNumber(value) * 1000);
  if (ms > MAX_TIMEOUT_MS)
    throw new InvalidArgumentError(`expected at most ${Math.floor(MAX_TIMEOUT_MS / 1000)} seconds.`);
  return ms;
}

/** Parses three names: `a,b,c`. They are not trimmed. */
export function parseNames(value: string): [string, string, string] {
  const names = value.split(',');
  if (names.length !== 3 || names.includes('') || new Set(names).size !== 3)
    throw new InvalidArgumentError('expected three different names, such as x,y,z.');
  return names as [string, string, string];
}

/** Parses three positive numbers: `4,4,40`. */
export function parseNumbers(value: string): number[] {
  const numbers = parsePositiveVec3(value);
  if (!numbers) throw new InvalidArgumentError('expected three positive numbers, such as 4,4,40.');
  return numbers;
}

/** Parses a resolution: three positive numbers, or `viewer` for the resolution of the datastack's viewer. */
export const parseResolution = (value: string): number[] | 'viewer' =>
  value === 'viewer' ? 'viewer' : parseNumbers(value);

/** Parses a materialization: `943=2024-06-05T10:10:01Z`. The option may be repeated. */
export function parseMaterialization(
  value: string,
  earlier: Record<number, Date> = {},
): Record<number, Date> {
  const [, version, timestamp] = /^(\d{1,9})=(.+)$/.exec(value) ?? [];
  if (version === undefined)
    throw new InvalidArgumentError('expected a number and a timestamp, such as 943=2024-06-05T10:10:01Z.');
  if (Object.hasOwn(earlier, version))
    throw new InvalidArgumentError(`materialization ${version} is given twice.`);
  try {
    return { ...earlier, [version]: parseTimestamp(timestamp) };
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** Parses how many points may need attention: a whole number, or a percentage from 0 to 100. */
export function parseMaxFailures(value: string): MaxFailures {
  const most = toMaxFailures(value);
  if (most) return most;
  throw new InvalidArgumentError('expected a whole number, such as 0 or 100, or a percentage, such as 0.1%.');
}

const UNITS: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
};

/** Parses a size and returns bytes: `200MB`, `1.5GiB`, `4096`. */
export function parseByteSize(value: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(value);
  const unit = match && UNITS[match[2].toLowerCase()];
  if (!match || !unit) throw new InvalidArgumentError('expected bytes, such as 200MB or 1GiB.');
  return Math.round(Number(match[1]) * unit);
}
