/**
 * An edit that a mocked chunkedgraph did not make. The server answers the code `REFUSED` with status 400 and
 * `FAILED` with status 500.
 */
export class EditError extends Error {
  /** Always `EditError`. */
  override readonly name = 'EditError';
  /** @param code `REFUSED` for an edit that the server does not allow, `FAILED` for one that crashes it. */
  constructor(
    /** `REFUSED` is HTTP status 400, `FAILED` is 500. */
    readonly code: 'REFUSED' | 'FAILED',
    message: string,
  ) {
    super(message);
  }
}
