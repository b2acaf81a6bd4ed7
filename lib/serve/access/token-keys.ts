/**
 * Turns tokens into keys of maps. A key is a keyed hash: it tells nothing about its token, and comparing keys takes a
 * time that tells nothing either, because nobody outside can choose them.
 */
import { createHmac, randomBytes } from 'node:crypto';

/** Makes the keys of tokens. Each process, and each instance, has other keys. */
export class TokenKeys {
  readonly #secret = randomBytes(32);

  keyOf(token: string): string {
    return createHmac('sha256', this.#secret).update(token).digest('base64');
  }
}
