/** REFUSED: what the server answers with status 400; FAILED: with 500. */
export class EditError extends Error {
  /** Always `EditError`. */
  override readonly name = 'EditError';
  constructor(
    /** `REFUSED` is HTTP status 400, `FAILED` is 500. */
    readonly code: 'REFUSED' | 'FAILED',
    message: string,
  ) {
    super(message);
  }
}
