/** Where and with what a figure was taken. */
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';

export function machine(): string {
  const size = `${cpus().length} x ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${new Date().toISOString().slice(0, 10)}, ${commit()}, Node ${process.versions.node}, ${size}.`;
}

/** A copy of the files may have no git history, and may lie within another project's. */
function commit(): string {
  try {
    const said = execFileSync('git', ['rev-parse', '--show-prefix', '--short', 'HEAD'], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [prefix, hash] = said.split('\n');
    return prefix === 'bench/' ? `commit ${hash}` : 'unknown commit';
  } catch {
    return 'unknown commit';
  }
}
