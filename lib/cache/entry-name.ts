/** Keys of the disk cache. */
import { createHash } from 'node:crypto';
import { redactSecrets } from '../base/secret-redaction.ts';

/**
 * Makes the key of an entry from a scope and a key within it. Keys are written to disk, so secrets in them
 * (such as a token that a server put into a URL) are replaced, and a hash keeps the keys distinct.
 */
export function entryName(scope: string, key: string): string {
  const name = `${scope} ${key}`,
    safe = redactSecrets(name);
  return safe === name ? name : `${safe} ${createHash('sha256').update(name).digest('hex')}`;
}
