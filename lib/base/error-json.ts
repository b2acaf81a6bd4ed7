/**
 * Errors as JSON, for another thread or process. The JSON holds only what may be printed, and so no secret.
 */
import { safeText, redactSecretsIn } from './secret-redaction.ts';

/** The symbol that marks errors of this package. It is the same in every loaded copy of the package. */
export const BRAND = Symbol.for('graphene-points.LookupError');

/**
 * An error as plain JSON: what `error.toJSON()` returns and `reviveError` reads. It holds no token or other
 * secret.
 */
export interface ErrorJson {
  /** The name of the error's class, such as `GraphError`. */
  name: string;
  /** The error's message. */
  message: string;
  /** The error's code, such as `TIMEOUT`; absent where the error has none. */
  code?: string;
  /** The error that caused this one. At most 8 levels of causes are included. */
  cause?: ErrorJson;
  /**
   * Only in a PartialResultError: why each part failed, keyed by chunk URL or
   * `roots:<first ID of the batch>`.
   */
  causes?: [key: string, cause: ErrorJson][];
  /** The other fields of the class: `url`, `status`, … */
  [field: string]: unknown;
}

/** Levels of causes that are included. */
const MAX_DEPTH = 8;

/**
 * Turns an error into JSON. An error of this package keeps every field except `result`, which may be large.
 * Any other error keeps its name, code, message and cause: its other fields may hold secrets.
 */
export function errorJson(error: unknown, depth = 0): ErrorJson {
  if (!(error instanceof Error)) return { name: 'Error', message: safeText(String(error)) };
  const { name, message, cause } = error,
    { code, causes } = error as { code?: unknown; causes?: Map<string, Error> },
    isOwnError = BRAND in error;
  return {
    name: safeText(name),
    ...(typeof code === 'string' && { code: safeText(code) }),
    message: safeText(message),
    ...(isOwnError && fieldsOf(error)),
    ...(isOwnError && causes && { causes: causesJson(causes, depth) }),
    ...(cause !== undefined && depth < MAX_DEPTH && { cause: errorJson(cause, depth + 1) }),
  };
}

/** Fields that are added separately, or not at all. */
const EXCLUDED_FIELDS = ['name', 'code', 'message', 'stack', 'cause', 'causes', 'result'];

const fieldsOf = (error: Error): Record<string, unknown> =>
  redactSecretsIn(
    Object.fromEntries(
      Object.entries(error).filter(([name, value]) => !EXCLUDED_FIELDS.includes(name) && value !== undefined),
    ),
  );

const causesJson = (causes: Map<string, Error>, depth: number): ErrorJson['causes'] =>
  depth < MAX_DEPTH ? Array.from(causes, ([key, cause]) => [safeText(key), errorJson(cause, depth + 1)]) : [];
