/** REFUSED: what the server answers with status 400; FAILED: with 500. */
export class EditError extends Error {
  override readonly name = 'EditError';
  constructor(
    readonly code: 'REFUSED' | 'FAILED',
    message: string,
  ) {
    super(message);
  }
}
