import { safeText } from './secret-redaction.ts';

/**
 * A store that the user wrote returned an invalid answer. This is a mistake in a program, and so a TypeError,
 * but it shows up only while reading. Its message holds no secret.
 */
export class StoreAnswerError extends TypeError {
  constructor(message: string) {
    super(safeText(message));
  }
}
