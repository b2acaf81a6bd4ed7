/**
 * Validators, which tell the versions of one object apart. A validator is the ETag from the server, or a text
 * that the SDK makes and that begins with one of these words.
 */
const OWN_VALIDATOR = /^(generation|modified|file|put|ocdbt) /;

/** Whether a validator is an ETag and can be sent as `If-None-Match`. */
export const isETag = (validator: string): boolean => !OWN_VALIDATOR.test(validator);

/**
 * Returns the validator of a reply: its ETag, else Google's generation, else the time of its last change with
 * its size. The size tells two versions of the same second apart. Undefined if the headers are not enough.
 *
 * @param totalBytes Size of the whole object, if known.
 */
export function readValidator(
  headers: Readonly<Record<string, unknown>>,
  totalBytes: number | undefined,
): string | undefined {
  const { etag, 'x-goog-generation': generation, 'last-modified': modified } = headers;
  if (isPresent(etag) && !/^(W\/)?""$/.test(etag)) return etag;
  if (isPresent(generation)) return `generation ${generation}`;
  return isPresent(modified) && totalBytes !== undefined
    ? `modified ${modified} size ${totalBytes}`
    : undefined;
}

const isPresent = (header: unknown): header is string => typeof header === 'string' && header !== '';

/** Removes the mark of a weak ETag, so that equal versions compare equal. */
export const normalizeValidator = (validator: string): string => validator.replace(/^W\//, '');

/** Whether both validators are known and name the same version. */
export const isSameVersion = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && normalizeValidator(a) === normalizeValidator(b);
