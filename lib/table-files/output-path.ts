/** Tells outputs on cloud paths from files. */
import { TableError } from '../base/errors.ts';
import { redactUrl } from '../http/excerpt.ts';

const SCHEME = /^([a-z][a-z\d+.-]*):\/\//i;

/** Whether an output is neither a file of this machine nor a stream. */
export const isCloudOutput = (path: string): boolean => {
  const [, scheme] = SCHEME.exec(path) ?? [];
  return scheme !== undefined && scheme.toLowerCase() !== 'file';
};

/** Returns the path of a file:// URL, which is not percent-decoded, as for inputs. Other paths stay. */
export const localPath = (path: string): string => path.replace(/^file:\/\//i, '');

/** Refuses a cloud path that names no single object. @throws TableError BAD_TABLE_PATH. */
export function refusePattern(option: string, path: string): void {
  if (/[*?]/.test(path) && !/^https?:/i.test(path))
    throw new TableError('BAD_TABLE_PATH', `${option} ${redactUrl(path)} is a pattern: name one object`);
}
