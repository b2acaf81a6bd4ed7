/** Makes errors from their JSON: the inverse of `error.toJSON()`. */
import * as errors from './errors.ts';
import type { ErrorJson } from './error-json.ts';

const CLASSES = new Map<string, new (...fields: never[]) => Error>(
  Object.entries(errors).filter(([, value]) => value.prototype instanceof errors.LookupError) as never,
);

/**
 * Makes an error from the JSON of `error.toJSON()`, for example after it crossed to another thread or
 * process.
 *
 * The error has the class, code, message, fields and causes of the original. If that class is not one of this
 * package, the result is a plain Error with the original's name. The `result` of a PartialResultError is not
 * in the JSON, and so it is undefined.
 *
 * @param json What `error.toJSON()` returned, also after `JSON.parse(JSON.stringify(error))`.
 */
export function reviveError({ message, cause, causes, ...fields }: ErrorJson): Error {
  const Class = CLASSES.get(fields.name) ?? Error;
  // The constructors take different arguments, so they are bypassed: the JSON holds every field that they
  // set.
  const error = Reflect.construct(
    Error,
    cause === undefined ? [message] : [message, { cause: reviveError(cause) }],
    Class,
  );
  return Object.assign(
    error,
    fields,
    causes && { causes: new Map(causes.map(([key, json]) => [key, reviveError(json)])) },
  );
}
