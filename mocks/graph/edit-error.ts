/**
 * An edit that a mocked chunkedgraph did not make. The server answers the code `REFUSED` with status 400 and
 * `FAILED` with status 500.
 */
export class EditError extends Error {
  /** Always `EditError`. */
  override readonly name = 'EditError';
  constructor(
    /** `REFUSED` for an edit that the server does not allow, `FAILED` for an edit that crashes it. */
    readonly code: 'REFUSED' | 'FAILED',
    message: string,
  ) {
    super(message);
  }
}
