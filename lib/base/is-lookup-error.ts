/** Which error it is: a test that narrows, and works where `instanceof` does not. */
import { BRAND } from './error-json.ts';
import type * as errors from './errors.ts';

type InstancesOf<Classes> = {
  [Name in keyof Classes]: Classes[Name] extends new (...args: never[]) => infer Instance ? Instance : never;
}[keyof Classes];

/** All of them; the generic one by its name, as it would lose its default. */
type KnownError = InstancesOf<Omit<typeof errors, 'PartialResultError'>> | errors.PartialResultError;

/** Every `code` of an error of this package. */
export type ErrorCode = KnownError['code'];

/** The errors that may have one of these codes. */
export type ErrorWithCode<
  Code extends ErrorCode,
  Known extends KnownError = KnownError,
> = Known extends KnownError
  ? Extract<Known['code'], Code> extends never
    ? never
    : Known & { readonly code: Code }
  : never;

/**
 * Whether an error is one of this package's, with one of these codes if any are named. It knows those of another copy of the package too,
 * where `instanceof` does not.
 */
export function isLookupError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is ErrorWithCode<Code> {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return codes.length === 0 || codes.includes((error as { code?: unknown }).code as Code);
}
