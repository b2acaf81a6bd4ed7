/**
 * Imports of packages that are loaded when first needed. Node never retries an import that failed, so none
 * starts while the process has too few free file descriptors.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { retryOnShortage, type ShortageRetryOptions } from '../base/descriptor-shortage.ts';

/** How many descriptors must be free. An import opens many files of a package at once. */
const NEEDED_DESCRIPTORS = 48;

/**
 * Calls `load`, which imports a package, as soon as enough file descriptors are free.
 * @throws The error of the file system if none become free for some seconds; the error of `load`;
 *   `signal.reason`.
 */
export const importPackage = <T>(load: () => Promise<T>, waiting: ShortageRetryOptions = {}): Promise<T> =>
  retryOnShortage(() => {
    const held: number[] = [];
    try {
      while (held.length < NEEDED_DESCRIPTORS) held.push(openSync(devNull, 'r'));
    } finally {
      held.forEach(closeSync);
    }
    return load(); // in the same turn, before anything else opens a file
  }, waiting);
