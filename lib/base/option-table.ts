/**
 * Options: each known in one table, which checks it and describes it, and taken as they are when a call is made: what the caller changes
 * afterwards changes nothing.
 */
import { defineKind, type ValueKind } from './value-kinds.ts';
import { copyTypedArray, isTypedArray } from './typed-array.ts';

export interface OptionRow {
  kind: ValueKind;
  /** One line: what it is for. The interface's own docs may say more. */
  says: string;
  /** What holds without it. */
  default?: string;
  /** On the command line: `--mip <mip>`. */
  flag?: string;
  /** What the flag does, where `says` does not say it. */
  flagSays?: string;
  /** What a flag without a value stands for. @default true */
  flagMeans?: unknown;
  /** Whether its group makes no sense without it. */
  required?: true;
}

/** A row for each option of an interface, and no other: `{ … } satisfies OptionTable<OpenOptions>`. */
export type OptionTable<Options> = { readonly [Name in keyof Required<Options>]: OptionRow };
export type AnyOptionTable = Readonly<Record<string, OptionRow>>;

/**
 * The options of a table, each read once. Arrays, dates and plain data are copied, however deep; what has functions (a signal, a logger, a
 * store) stays the caller's own.
 * @throws TypeError for anything but an object, as {@link checkNames}, and TypeError or RangeError for a value that cannot be meant.
 */
export function parseOptions<T extends object>(options: T, table: AnyOptionTable): T {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options are an object, not ${options === null ? 'null' : `a ${typeof options}`}`);
  const given = options as Record<string, unknown>,
    own: Record<string, unknown> = {};
  for (const name of Object.keys(table)) {
    const value = given[name];
    if (value !== undefined) own[name] = copyData(value, name);
  }
  const rest = Object.keys(given).filter((name) => !Object.hasOwn(table, name));
  checkNames(Object.fromEntries(rest.map((name) => [name, given[name]])), table);
  checkValues(own, table);
  return own as T;
}

/**
 * A misspelt option would be ignored without a word, and the answer be another than was asked for.
 * @throws TypeError naming the option, and the one that may be meant.
 */
function checkNames(options: object, table: AnyOptionTable): void {
  const bare = (name: string): string => name.toLowerCase().replaceAll('_', '');
  const known = Object.keys(table);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || known.includes(name)) continue;
    const meant = known.find((other) => bare(other) === bare(name));
    throw new TypeError(
      `there is no option ${JSON.stringify(name)}${meant ? `; did you mean ${meant}?` : `: options are ${known.join(', ')}`}`,
    );
  }
}

function checkValues(options: Readonly<Record<string, unknown>>, table: AnyOptionTable, group = ''): void {
  for (const [name, { kind, required }] of Object.entries(table))
    if (options[name] !== undefined || required) kind.check(`${group}${name}`, options[name]);
}

/** Options within an option: their names, and values called `group.name`. */
export function optionGroup(wanted: string, table: AnyOptionTable): ValueKind {
  const object = defineKind(wanted, (value) => typeof value === 'object' && value !== null);
  return {
    expected: wanted,
    check: (name, value) => {
      object.check(name, value);
      checkNames(value as object, table);
      checkValues(value as Record<string, unknown>, table, `${name}.`);
    },
  };
}

/** A copy of what is data; what has functions in it is given back. @param name For errors. */
export function copyData(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, (part) => copyData(part, name));
  if (value instanceof Date) return new Date(value.getTime());
  if (isTypedArray(value)) return copyTypedArray(value, name);
  if (!isPlain(value)) return value;
  const parts = Object.entries(value);
  if (parts.some(([, part]) => typeof part === 'function')) return value;
  return Object.fromEntries(parts.map(([key, part]) => [key, copyData(part, name)]));
}

/** Of this realm or another. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
