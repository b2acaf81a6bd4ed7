/** A type guard for the errors of this package. It works where `instanceof` does not. */
import { BRAND } from './error-json.ts';
import type * as errors from './errors.ts';

type InstancesOf<Classes> = {
  [Name in keyof Classes]: Classes[Name] extends new (...args: never[]) => infer Instance ? Instance : never;
}[keyof Classes];

/**
 * Every error class. PartialResultError is named, because `infer` would lose the default of its type
 * parameter.
 */
type KnownError = InstancesOf<Omit<typeof errors, 'PartialResultError'>> | errors.PartialResultError;

/** Every `code` that an error of this package can have. */
export type ErrorCode = KnownError['code'];

/** The error classes that can have one of these codes, with `code` narrowed to them. */
export type ErrorWithCode<
  Code extends ErrorCode,
  Known extends KnownError = KnownError,
> = Known extends KnownError
  ? Extract<Known['code'], Code> extends never
    ? never
    : Known & {
        /** One of the codes that were named. */
        readonly code: Code;
      }
  : never;

/**
 * Tells whether a value is an error of this package and, if codes are given, has one of them. It narrows the
 * type to the classes that have these codes. It also recognizes errors from another loaded copy of the
 * package, which `instanceof` does not.
 *
 * @param error Any value, such as the one that a `catch` receives.
 * @param codes The codes to accept; none accepts every error of this package.
 * @example
 * ```ts
 * try {
 *   await volume.scatteredPoints(points);
 * } catch (error) {
 *   if (isLookupError(error, 'UNAUTHORIZED', 'FORBIDDEN')) console.error(`check your token: ${error.message}`);
 *   else throw error;
 * }
 * ```
 */
export function isLookupError<Code extends ErrorCode = ErrorCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is ErrorWithCode<Code> {
  if (typeof error !== 'object' || error === null || !(BRAND in error)) return false;
  return codes.length === 0 || codes.includes((error as { code?: unknown }).code as Code);
}
