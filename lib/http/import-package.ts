/**
 * Packages that are loaded when they are first needed. Node remembers an import that failed, for as long as the process lives: none is begun
 * while there are too few file descriptors for it.
 */
import { closeSync, openSync } from 'node:fs';
import { devNull } from 'node:os';
import { retryOnShortage, type ShortageRetryOptions } from '../base/descriptor-shortage.ts';

/** An import opens files of a package side by side. */
const ENOUGH = 48;

/**
 * What `load` gives, which imports a package: begun once enough descriptors are free.
 * @throws the error of the file system when there are none for some seconds; what `load` throws; `signal.reason`.
 */
export const importPackage = <T>(load: () => Promise<T>, waiting: ShortageRetryOptions = {}): Promise<T> =>
  retryOnShortage(() => {
    const held: number[] = [];
    try {
      while (held.length < ENOUGH) held.push(openSync(devNull, 'r'));
    } finally {
      held.forEach(closeSync);
    }
    return load(); // in this very turn
  }, waiting);
