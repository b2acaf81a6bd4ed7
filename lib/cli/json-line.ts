/**
 * Writes answers as JSON Lines: IDs are strings, timestamps are ISO 8601, and names are in snake case, like
 * the columns of tables.
 */

import { redactSecrets } from '../base/secret-redaction.ts';

/** Formats a value as one line. @param verbatim Whether names stay as they are. */
export const toJsonLine = (value: unknown, verbatim = false): string =>
  `${JSON.stringify(shown(value, verbatim ? (name) => name : snakeCase)) ?? 'null'}\n`;

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

function shown(value: unknown, named: (name: string) => string): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return redactSecrets(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value); // JSON has no NaN or Infinity
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof BigUint64Array) return Array.from(value, String);
  if (Array.isArray(value) || ArrayBuffer.isView(value))
    return Array.from(value as ArrayLike<unknown>, (part) => shown(part, named));
  // The keys of a Map are data, not names.
  const entries: [string, unknown][] =
    value instanceof Map
      ? Array.from(value, ([key, part]) => [String(key), part])
      : Object.entries(value).map(([name, part]) => [named(name), part]);
  return Object.fromEntries(entries.map(([name, part]) => [redactSecrets(name), shown(part, named)]));
}
