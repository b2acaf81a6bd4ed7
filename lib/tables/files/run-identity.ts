/**
 * The identity of a process: enough to tell later, on the same machine, whether it still runs. A process ID
 * alone is not enough, because another process may have it by then.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** What identifies a process. */
export interface RunIdentity {
  pid: number;
  host: string;
  /** When the process started, as the system writes it; empty if unknown. */
  started: string;
  /** The ID of the current boot of the machine; empty if unknown. */
  boot: string;
  /** The namespace of the process ID: containers on one machine have their own process IDs. */
  namespace: string;
}

/**
 * Whether a process runs. `elsewhere`: it belongs to another machine or container, so its state cannot be
 * checked here.
 */
export type RunState = 'running' | 'gone' | 'elsewhere';

let own: RunIdentity | undefined;

/** Returns the identity of this process. */
export function getOwnIdentity(): RunIdentity {
  return (own ??= {
    pid: process.pid,
    host: hostname(),
    started: readProcess(process.pid)?.started ?? '',
    boot: readOrEmpty(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: readOrEmpty(() => readlinkSync('/proc/self/ns/pid')),
  });
}

/** Checks whether a process still runs. */
export function findRunState(run: RunIdentity): RunState {
  const { host, boot, namespace } = getOwnIdentity();
  if (run.host !== host) return 'elsewhere';
  if (run.boot !== boot) return 'gone'; // the machine has restarted
  if (run.namespace !== namespace) return 'elsewhere';
  try {
    process.kill(run.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'gone';
  }
  const found = readProcess(run.pid);
  if (found === undefined || found.started === '' || run.started === '') return 'running';
  return found.started !== run.started || found.ended ? 'gone' : 'running';
}

/** Reads when a process started and whether it has ended; undefined if the system does not know it. */
function readProcess(pid: number): { started: string; ended: boolean } | undefined {
  if (process.platform === 'win32') return undefined;
  const stat = readOrEmpty(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (stat !== '') {
    // After the name, which may hold any character, the 1st field is the state and the 20th the start time.
    // Source: proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { started: fields[19], ended: fields[0] === 'Z' || fields[0] === 'X' };
  }
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  const line = readOrEmpty(() =>
    execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim(),
  );
  const match = /^(\S+)\s+(.+)$/.exec(line);
  return match ? { started: match[2], ended: match[1].startsWith('Z') } : undefined;
}

function readOrEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
