/** Errors out of JSON: the other side of `toJSON()`. */
import * as errors from './errors.ts';
import type { ErrorJson } from './error-json.ts';

const CLASSES = new Map<string, new (...fields: never[]) => Error>(
  Object.entries(errors).filter(([, value]) => value.prototype instanceof errors.LookupError) as never,
);

/**
 * An error of the same class as the one that was sent, with its code, message, fields and causes; of any other class a plain Error with its
 * name. The answer of a PartialResultError, `result`, is not sent with it.
 */
export function reviveError({ message, cause, causes, ...fields }: ErrorJson): Error {
  const Class = CLASSES.get(fields.name) ?? Error;
  // Constructors differ; all that they set is in the JSON.
  const error = Reflect.construct(
    Error,
    cause === undefined ? [message] : [message, { cause: reviveError(cause) }],
    Class,
  );
  return Object.assign(
    error,
    fields,
    causes && { causes: new Map(causes.map(([key, one]) => [key, reviveError(one)])) },
  );
}
