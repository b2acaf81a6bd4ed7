/**
 * An edit that the mocked graph refuses (`REFUSED`, HTTP status 400) or cannot carry out (`FAILED`, 500).
 *
 * @example
 * ```ts
 * expect(() => graph.merge([a, a])).toThrow(EditError);
 * ```
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
