/**
 * Converts the spellings of a cloud path to the one that the rest of the package reads. Source: Neuroglancer,
 * src/kvstore/url.ts and src/datasource/index.ts (`URL|FORMAT:`; blanks and a final `|` are ignored).
 */
import { PathError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { redactUrl } from '../../http/excerpt.ts';

/** One part after a `|`: a format, or a container that Neuroglancer would unpack. */
const PART = /^\s*([a-z][a-z\d+.-]*):(?!\/\/)(.*)$/is;
const PRECOMPUTED = new Set(['precomputed', 'neuroglancer-precomputed']);

/**
 * Normalizes a path: removes blanks around it and `precomputed://`, puts schemes in lower case, and turns
 * Neuroglancer's `URL|graphene:` into `graphene://URL`.
 * @throws PathError BAD_PATH; UNSUPPORTED_SCHEME for a format that is not supported.
 */
export function normalizeCloudPath(path: string): string {
  if (typeof path !== 'string') throw new PathError('BAD_PATH', 'the path of a volume must be a string');
  const [whole, ...rest] = path
    .trim()
    .replace(/[|\s]+$/, '')
    .split('|');
  const parts = rest.map((part) => PART.exec(part));
  // A folder name may contain a "|".
  if (parts.some((part) => part === null)) return stripPrecomputed([whole, ...rest].join('|'));
  const [format, ...more] = parts.map((part) => ({ name: part![1].toLowerCase(), options: part![2].trim() }));
  const location = stripPrecomputed(whole.trim());
  if (format === undefined) return location;
  const known = format.name === 'graphene' || PRECOMPUTED.has(format.name);
  if (!known || format.options !== '' || more.length > 0) {
    const formatText = toPrintable(rest.map((part) => `|${part.trim()}`).join(''), 80);
    throw new PathError(
      'UNSUPPORTED_SCHEME',
      `${redactUrl(whole)}: ${formatText} is not supported; |neuroglancer-precomputed: and |graphene: are`,
    );
  }
  const folder = location.replace(/\/+$/, '');
  if (format.name !== 'graphene') {
    if (isGraphPath(location))
      throw new PathError(
        'BAD_PATH',
        `${redactUrl(location)} is a chunkedgraph, but |${format.name}: names another format`,
      );
    return location;
  }
  return isGraphPath(folder) ? folder : `graphene://${folder}`;
}

/** Whether a normalized path is one for `openGraphene`. */
export const isGraphPath = (path: string): boolean => /^(graphene|cave):\/\//.test(path);

const stripPrecomputed = (path: string): string =>
  path
    .replace(/^(?:[a-z][a-z\d+.-]*:\/\/)+/i, (schemes) => schemes.toLowerCase())
    .replace(/^precomputed:\/\//, '');
