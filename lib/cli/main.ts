#!/usr/bin/env node
/** The entry point of the `graphene-points` command. */
import { run } from './run.ts';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    interrupt.abort(new Error('interrupted'));
    process.once(signal, () => process.exit(130)); // a second interrupt does not wait
  });

const { stdin, stdout, stderr, env } = process;
process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, signal: interrupt.signal });
if (interrupt.signal.aborted) process.exit(); // do not wait for a reader that does not read
