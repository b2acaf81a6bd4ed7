/** What an entry of the disk cache is called. */
import { createHash } from 'node:crypto';
import { redactSecrets } from '../base/secret-redaction.ts';

/** Names are written to disk: what a server made of a secret is left out of them, and told apart by a hash. */
export function entryName(scope: string, key: string): string {
  const name = `${scope} ${key}`,
    safe = redactSecrets(name);
  return safe === name ? name : `${safe} ${createHash('sha256').update(name).digest('hex')}`;
}
