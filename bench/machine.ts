/** Describes the machine that a figure was measured on. */
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

/** Returns the date, the commit, the Node version and the size of the machine, as one line of text. */
export function machine(): string {
  const size = `${cpus().length} x ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${new Date().toISOString().slice(0, 10)}, ${commit()}, Node ${process.versions.node}, ${size}.`;
}

/**
 * Returns the commit of this project. A copy of the files may have no git history, or lie inside another
 * project.
 */
export function commit(): string {
  try {
    const output = execFileSync('git', ['rev-parse', '--show-prefix', '--short', 'HEAD'], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [prefix, hash] = output.split('\n');
    return prefix === 'bench/' ? `commit ${hash}` : 'unknown commit';
  } catch {
    return 'unknown commit';
  }
}
