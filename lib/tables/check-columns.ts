/**
 * Checks that a table has the columns that are read, and none of those that are written. All formats use this
 * check.
 */
import { TableError } from '../base/errors.ts';
import type { TableColumns } from './table.ts';

/**
 * Checks the chosen columns against the names that the table has.
 *
 * @param hint A likely reason for missing columns, added to the message.
 * @param present The columns that every row has.
 * @throws TableError MISSING_COLUMN, with the columns found; COLUMN_EXISTS.
 */
export function checkColumns(
  {
    points = [],
    ids = [],
    texts = [],
    outputs,
    replace,
    mayReplaceInputs: rereads = false,
    advice,
  }: TableColumns,
  found: readonly string[],
  hint?: string,
  present = found,
): void {
  const wanted = [...points.flat(), ...ids, ...texts.filter((name) => !outputs.includes(name))];
  const twice = outputs.find((name, k) => outputs.indexOf(name) !== k);
  if (twice !== undefined)
    throw new TableError(
      'COLUMN_EXISTS',
      `column ${twice} would be written twice: the columns that are looked up need different names`,
    );
  const missing = wanted.filter((name) => !found.includes(name));
  if (missing.length > 0) {
    const list =
      found.length > 0
        ? `columns found: ${found.map((name) => (name === name.trim() ? name : JSON.stringify(name))).join(', ')}`
        : 'no columns found';
    throw new TableError(
      'MISSING_COLUMN',
      `no column ${missing.map((name) => JSON.stringify(name)).join(', ')}; ${list}${hint === undefined ? '' : ` (${hint})`}`,
    );
  }
  const existing = outputs.filter((name) => present.includes(name));
  if (existing.length > 0 && !replace) throw columnExistsError(existing, advice);
  const read = outputs.find((name) => wanted.includes(name));
  if (read !== undefined && !rereads)
    throw new TableError('COLUMN_EXISTS', `column ${read} is an input and would be overwritten`);
}

/** Makes the error for output columns that the table already has. */
export function columnExistsError(names: readonly string[], advice?: string): TableError {
  const [columns, exist, them] =
    names.length === 1 ? ['column', 'exists', 'it'] : ['columns', 'exist', 'them'];
  return new TableError(
    'COLUMN_EXISTS',
    `${columns} ${names.join(', ')} already ${exist} (${advice === undefined ? '' : `${advice}; `}replace (--replace) overwrites ${them})`,
  );
}
