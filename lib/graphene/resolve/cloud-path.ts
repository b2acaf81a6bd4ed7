/**
 * Paths as people copy them, in the one spelling that the rest of the package reads.
 * Source: Neuroglancer, src/kvstore/url.ts and src/datasource/index.ts (`URL|FORMAT:`, blanks and a last `|` mean nothing).
 */
import { PathError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { redactUrl } from '../../http/excerpt.ts';

/** What stands behind a `|`: a format, or something that is unpacked on the way to it. */
const PART = /^\s*([a-z][a-z\d+.-]*):(?!\/\/)(.*)$/is;
const PRECOMPUTED = new Set(['precomputed', 'neuroglancer-precomputed']);

/**
 * Without blanks around, schemes in lower case, and Neuroglancer's `URL|graphene:` as `graphene://URL`; `precomputed://` is left out.
 * @throws PathError BAD_PATH, or UNSUPPORTED_SCHEME for a format that is not read.
 */
export function normalizeCloudPath(path: string): string {
  if (typeof path !== 'string') throw new PathError('BAD_PATH', 'a volume is opened by its path, a text');
  const [whole, ...rest] = path
    .trim()
    .replace(/[|\s]+$/, '')
    .split('|');
  const parts = rest.map((part) => PART.exec(part));
  // A "|" in the name of a folder is no pipeline.
  if (parts.some((part) => part === null)) return plainPath([whole, ...rest].join('|'));
  const [format, ...more] = parts.map((part) => ({ name: part![1].toLowerCase(), options: part![2].trim() }));
  const location = plainPath(whole.trim());
  if (format === undefined) return location;
  const known = format.name === 'graphene' || PRECOMPUTED.has(format.name);
  if (!known || format.options !== '' || more.length > 0) {
    const shown = toPrintable(rest.map((part) => `|${part.trim()}`).join(''), 80);
    throw new PathError(
      'UNSUPPORTED_SCHEME',
      `${redactUrl(whole)}: ${shown} is not read; |neuroglancer-precomputed: and |graphene: are`,
    );
  }
  const folder = location.replace(/\/+$/, '');
  if (format.name !== 'graphene') {
    if (isGraphPath(location))
      throw new PathError(
        'BAD_PATH',
        `${redactUrl(location)} is a chunkedgraph, and |${format.name}: says that it is not`,
      );
    return location;
  }
  return isGraphPath(folder) ? folder : `graphene://${folder}`;
}

/** Whether a path in that spelling is opened by `openGraphene`. */
export const isGraphPath = (path: string): boolean => /^(graphene|cave):\/\//.test(path);

const plainPath = (path: string): string =>
  path
    .replace(/^(?:[a-z][a-z\d+.-]*:\/\/)+/i, (schemes) => schemes.toLowerCase())
    .replace(/^precomputed:\/\//, '');
