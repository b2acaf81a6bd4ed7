/** Who runs: enough to tell later, on the same machine, whether that process is still there. A process ID alone may belong to another by then. */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface RunIdentity {
  pid: number;
  host: string;
  /** When the process started, in the system's own words; empty where the system does not say. */
  started: string;
  /** Of this start of the machine; empty where the system does not say. */
  boot: string;
  /** In which process IDs mean something: containers on one machine have their own. */
  namespace: string;
}

/** `gone` is certain, and so is `running`; nobody here can judge what runs `elsewhere`. */
export type RunState = 'running' | 'gone' | 'elsewhere';

let own: RunIdentity | undefined;

export function getOwnIdentity(): RunIdentity {
  return (own ??= {
    pid: process.pid,
    host: hostname(),
    started: processOf(process.pid)?.started ?? '',
    boot: said(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: said(() => readlinkSync('/proc/self/ns/pid')),
  });
}

export function findRunState(run: RunIdentity): RunState {
  const { host, boot, namespace } = getOwnIdentity();
  if (run.host !== host) return 'elsewhere';
  if (run.boot !== boot) return 'gone'; // with the machine
  if (run.namespace !== namespace) return 'elsewhere';
  try {
    process.kill(run.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return 'gone';
  }
  const found = processOf(run.pid);
  if (found === undefined || found.started === '' || run.started === '') return 'running';
  return found.started !== run.started || found.ended ? 'gone' : 'running';
}

/** What the system says of a process; undefined where it says nothing. */
function processOf(pid: number): { started: string; ended: boolean } | undefined {
  if (process.platform === 'win32') return undefined;
  const stat = said(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  if (stat !== '') {
    // After the name, which may hold anything: the state first, and the time of the start as the 20th. Source: proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { started: fields[19], ended: fields[0] === 'Z' || fields[0] === 'X' };
  }
  const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
  const line = said(() =>
    execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim(),
  );
  const match = /^(\S+)\s+(.+)$/.exec(line);
  return match ? { started: match[2], ended: match[1].startsWith('Z') } : undefined;
}

function said(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
