/** The parts of the process that a command uses, and the errors that the command line raises itself. */
import type { Readable, Writable } from 'node:stream';

/** The streams, the environment and the interrupt signal of the process. */
export interface Io {
  stdin: Readable;
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  env: Record<string, string | undefined>;
  /** Aborted by Ctrl-C and by SIGTERM. */
  signal: AbortSignal;
}

/** An interrupt that left a partial file. */
export class InterruptedError extends Error {}

/** An invalid command line. It becomes exit code 2. */
export class UsageError extends Error {}
