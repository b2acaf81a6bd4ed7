/**
 * Checks the head of a request before anything else reads it: headers that must not be repeated, and the form of the
 * path. What a strict server would refuse, and what two programs could read in two ways, ends here.
 */
import { AccessError } from '../../base/errors.ts';

/** The head of a request, as Node parsed it. */
export interface RequestHead {
  /** The target of the request line: path and query. */
  url: string;
  /** Names and values in turn, as they arrived. */
  rawHeaders: readonly string[];
}

/** Headers of which a second one could be read by another program than the first. */
const SINGLE = new Set([
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'origin',
  'transfer-encoding',
]);

const MAX_PATH_LENGTH = 2048;

/** @throws AccessError BAD_REQUEST. */
export function checkRequestHead({ url, rawHeaders }: RequestHead): void {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at].toLowerCase();
    if (!SINGLE.has(name)) continue;
    if (seen.has(name)) throw badRequest(`the request has two headers ${name}`);
    seen.add(name);
  }
  const [path] = url.split('?', 1);
  if (!path.startsWith('/')) throw badRequest('the request line must hold a path that begins with /');
  if (path.length > MAX_PATH_LENGTH)
    throw badRequest(`the path is longer than ${MAX_PATH_LENGTH} characters`);
  const rest = path.slice(1);
  // The first segment of `/` is empty, and so is the last one of `/docs/`.
  for (const [at, segment] of rest.split('/').entries())
    if (!isPlain(segment) || (segment === '' && at < rest.split('/').length - 1))
      throw badRequest(
        'the path has an empty segment, a segment . or .., or a character that must not be in a path',
      );
}

/** Whether a segment means the same to every program: after decoding it is one name, without control characters. */
function isPlain(segment: string): boolean {
  if (/[^\x21-\x7e]|\\/.test(segment)) return false;
  let name: string;
  try {
    name = decodeURIComponent(segment);
  } catch {
    return false;
  }
  return name !== '.' && name !== '..' && !/[\x00-\x1f\x7f/\\]/.test(name);
}

const badRequest = (message: string): AccessError => new AccessError('BAD_REQUEST', message);
