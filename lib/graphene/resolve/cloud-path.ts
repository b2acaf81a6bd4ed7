/**
 * Converts the spellings of a cloud path to the one that the rest of the package reads. Source: Neuroglancer,
 * src/kvstore/url.ts and src/datasource/index.ts (`URL|FORMAT:`; blanks and a final `|` are ignored).
 */
import { PathError } from '../../base/errors.ts';
import { toPrintable } from '../../base/printable.ts';
import { redactUrl } from '../../http/excerpt.ts';
import { formatKvNode, parseKvPath } from './kv-path.ts';
import { isOcdbtPart } from './kv-url.ts';
import { isSpecText } from './kvstore-spec.ts';

/** One part after a `|`: a format, or a container that Neuroglancer would unpack. */
const PART = /^\s*([a-z][a-z\d+.-]*):(?!\/\/)(.*)$/is;
const PRECOMPUTED = new Set(['precomputed', 'neuroglancer-precomputed']);

/**
 * Normalizes a path: removes blanks around it and `precomputed://`, puts schemes in lower case, and turns
 * Neuroglancer's `URL|graphene:` into `graphene://URL`. The JSON text of a TensorStore spec becomes a path, if
 * there is one.
 * @throws PathError BAD_PATH; UNSUPPORTED_SCHEME for a format that is not supported.
 */
export function normalizeCloudPath(path: string): string {
  if (typeof path !== 'string') throw new PathError('BAD_PATH', 'the path of a volume must be a string');
  if (isSpecText(path)) {
    const node = parseKvPath(path);
    return node.kind === 'plain' ? stripPrecomputed(node.path) : formatKvNode(node);
  }
  const [whole, ...rest] = path
    .trim()
    .replace(/[|\s]+$/, '')
    .split('|');
  const parts = rest.map((part) => PART.exec(part));
  // A folder name may contain a "|".
  if (parts.some((part) => part === null)) return stripPrecomputed([whole, ...rest].join('|'));
  const databases = rest.filter(isOcdbtPart);
  if (databases.length > 0) return normalizeOcdbtPath(stripPrecomputed(whole.trim()), rest, databases.length);
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

/** Normalizes `BASE|ocdbt:…|FORMAT:`. The format may be left out. */
function normalizeOcdbtPath(base: string, rest: readonly string[], databases: number): string {
  const last = rest.slice(databases),
    format = PART.exec(last[0] ?? 'precomputed:')!;
  if (
    last.length > 1 ||
    !PRECOMPUTED.has(format[1].toLowerCase()) ||
    format[2].trim() !== '' ||
    isGraphPath(base)
  )
    throw new PathError(
      'UNSUPPORTED_SCHEME',
      `${redactUrl(base)}: ${toPrintable(rest.map((part) => `|${part.trim()}`).join(''), 80)} is not supported; behind |ocdbt: there may be |neuroglancer-precomputed: only`,
    );
  return formatKvNode(parseKvPath([base, ...rest.slice(0, databases)].join('|')));
}

/** Whether a normalized path is one for `openGraphene`. */
export const isGraphPath = (path: string): boolean => /^(graphene|cave):\/\//.test(path);

const stripPrecomputed = (path: string): string =>
  path
    .replace(/^(?:[a-z][a-z\d+.-]*:\/\/)+/i, (schemes) => schemes.toLowerCase())
    .replace(/^precomputed:\/\//, '');
