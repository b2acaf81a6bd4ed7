#!/usr/bin/env node
/** The `graphene-points` command. */
import { run } from './run.ts';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    interrupt.abort(new Error('interrupted'));
    process.once(signal, () => process.exit(130)); // whoever asks twice does not want to wait
  });

const { stdin, stdout, stderr, env } = process;
process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, signal: interrupt.signal });
if (interrupt.signal.aborted) process.exit(); // without waiting for a reader that takes nothing
