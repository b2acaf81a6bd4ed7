import { safeText } from './secret-redaction.ts';

/** A store of the user's own gave what is not an answer: a mistake of the programmer, met while reading. Its message holds no secret. */
export class StoreAnswerError extends TypeError {
  constructor(message: string) {
    super(safeText(message));
  }
}
