/** What a command may touch of the process around it. */
import type { Readable, Writable } from 'node:stream';

export interface Io {
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  env: Record<string, string | undefined>;
  /** Aborted by Ctrl-C and by SIGTERM. */
  signal: AbortSignal;
}

/** Ctrl-C, with what is left of the work. */
export class InterruptedError extends Error {}

/** A combination of options that makes no sense. */
export class UsageError extends Error {}
