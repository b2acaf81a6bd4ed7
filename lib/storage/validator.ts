/** What tells the versions of one object apart, as one text: an ETag as the server wrote it, or one of ours, which begins with a word. */
const OURS = /^(generation|modified|file|put) /;

/** Whether a server may be asked about it by `If-None-Match`. */
export const isETag = (validator: string): boolean => !OURS.test(validator);

/**
 * Of a reply: its ETag, else Google's generation, else when it was last modified together with its size, as of two versions within one
 * second only that tells. undefined where the server says too little.
 *
 * @param totalBytes Of the whole object, where that is known.
 */
export function readValidator(
  headers: Readonly<Record<string, unknown>>,
  totalBytes: number | undefined,
): string | undefined {
  const { etag, 'x-goog-generation': generation, 'last-modified': modified } = headers;
  if (isSaid(etag) && !/^(W\/)?""$/.test(etag)) return etag;
  if (isSaid(generation)) return `generation ${generation}`;
  return isSaid(modified) && totalBytes !== undefined ? `modified ${modified} size ${totalBytes}` : undefined;
}

const isSaid = (header: unknown): header is string => typeof header === 'string' && header !== '';

/** The same but for what compares equal: a weak ETag says as much as a strong one here. */
export const normalizeValidator = (validator: string): string => validator.replace(/^W\//, '');

export const isSameVersion = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && normalizeValidator(a) === normalizeValidator(b);
