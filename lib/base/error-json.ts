/** Errors as JSON, to be sent to another thread or process. What may be printed is all that is sent: nothing here holds a secret. */
import { safeText, redactSecretsIn } from './secret-redaction.ts';

/** Marks errors of this package, and is the same in every copy of it. */
export const BRAND = Symbol.for('graphene-points.LookupError');

export interface ErrorJson {
  name: string;
  message: string;
  code?: string;
  cause?: ErrorJson;
  /** Of a PartialResultError: why, by chunk URL or `roots:<first ID of the batch>`. */
  causes?: [key: string, cause: ErrorJson][];
  /** What else its class has: `url`, `status`, … */
  [field: string]: unknown;
}

/** Causes of causes that are sent. */
const DEEPEST = 8;

/** Of an error of ours every field but `result`, which may be large; of any other name, code and message: nobody knows what else it holds. */
export function errorJson(error: unknown, depth = 0): ErrorJson {
  if (!(error instanceof Error)) return { name: 'Error', message: safeText(String(error)) };
  const { name, message, cause } = error,
    { code, causes } = error as { code?: unknown; causes?: Map<string, Error> },
    isOurs = BRAND in error;
  return {
    name: safeText(name),
    ...(typeof code === 'string' && { code: safeText(code) }),
    message: safeText(message),
    ...(isOurs && fieldsOf(error)),
    ...(isOurs && causes && { causes: causesJson(causes, depth) }),
    ...(cause !== undefined && depth < DEEPEST && { cause: errorJson(cause, depth + 1) }),
  };
}

/** Sent otherwise, or not at all. */
const NO_FIELDS = ['name', 'code', 'message', 'stack', 'cause', 'causes', 'result'];

const fieldsOf = (error: Error): Record<string, unknown> =>
  redactSecretsIn(
    Object.fromEntries(
      Object.entries(error).filter(([name, value]) => !NO_FIELDS.includes(name) && value !== undefined),
    ),
  );

const causesJson = (causes: Map<string, Error>, depth: number): ErrorJson['causes'] =>
  depth < DEEPEST ? Array.from(causes, ([key, cause]) => [safeText(key), errorJson(cause, depth + 1)]) : [];
