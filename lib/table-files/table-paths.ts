/** Finds the tables that an option names: files, patterns of files, and cloud paths. */
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { type CloudOptions, parseTablePath, type TablePath } from './cloud-input.ts';
import { TableError } from '../base/errors.ts';

/**
 * Returns the tables in the order of the paths. The files that a pattern finds are sorted by the bytes of
 * their names. A path that names a file is not a pattern.
 *
 * @param option The name of the option, for messages.
 * @throws TableError BAD_TABLE_PATH if a pattern finds nothing, a table is named twice, or one of several is not a file.
 */
export async function findTables(
  option: string,
  paths: readonly string[],
  options: CloudOptions,
): Promise<TablePath[]> {
  const found: TablePath[] = [];
  for (const path of paths) {
    const table = parseTablePath(path, options);
    if (table.open || path === '-' || !/[*?[{]/.test(table.name) || existsSync(table.name)) {
      found.push(table);
      continue;
    }
    const { glob } = await import('tinyglobby');
    const names = await glob(table.name, {
      absolute: isAbsolute(table.name),
      dot: false,
      expandDirectories: false,
      onlyFiles: true,
    });
    if (names.length === 0)
      throw new TableError(
        'BAD_TABLE_PATH',
        `${option} ${path} finds no file (patterns have *, **, ?, [a-z] and {a,b})`,
      );
    found.push(...names.sort(byBytes).map((name) => ({ name })));
  }
  if (found.length > 1) requireFiles(option, found);
  return found;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** Several tables are opened more than once, so each must be a file or an object. */
function requireFiles(option: string, tables: readonly TablePath[]): void {
  const names = new Set<string>();
  for (const { name, open } of tables) {
    if (name === '-' || (!open && existsSync(name) && !statSync(name).isFile()))
      throw new TableError(
        'BAD_TABLE_PATH',
        `${option} ${name} is ${name === '-' ? 'standard input' : 'not a regular file'}, which cannot be one of several tables`,
      );
    const path = open ? name : resolve(name);
    if (names.has(path)) throw new TableError('BAD_TABLE_PATH', `${option} names ${name} twice`);
    names.add(path);
  }
}
