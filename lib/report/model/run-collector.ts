/**
 * Collects what one run does from the events of its volumes. Memory is bounded: about 60 KB, whatever the number of
 * events.
 */
import { errorJson, type ErrorJson } from '../../base/error-json.ts';
import type { ChunkEvent, RootRequestEvent, VolumeEvent } from '../../base/volume-events.ts';
import { LatencySketch } from './latency-sketch.ts';
import type { FaultRecord, HostRecord, RunRecord, SlowChunk } from './run-record.ts';
import { RunTimeline } from './run-timeline.ts';
import { hostOf, safeMessage, safeUrl } from './safe-url.ts';

/** The number of chunks, hosts, kinds of faults and different warnings that are kept. */
export const MOST = { slowest: 10, hosts: 40, faults: 40, warnings: 100 } as const;
const OTHERS = 'others';

/** What is known of a run when it begins. */
export interface RunContext extends Pick<RunRecord, 'step' | 'program' | 'node' | 'platform'> {
  /** When the run began, in milliseconds since 1970. */
  startMs: number;
  /** Returns milliseconds since the run began. */
  elapsedMs: () => number;
  /** Returns the most memory that the process had. */
  peakMemoryBytes: () => number;
  /** The host of the graph server. @default unknown */
  graphHost?: () => string | undefined;
}

/** How a run ended. */
export interface RunEnd extends Pick<RunRecord, 'outcome'> {
  error?: unknown;
}

/** What one run does. */
export class RunCollector {
  readonly #context: RunContext;
  readonly #chunks = { store: 0, missing: 0, failed: 0, disk: 0, bytes: 0, diskBytes: 0 };
  readonly #roots = { requests: 0, failed: 0, ids: 0, bytes: 0, checks: 0 };
  readonly #batches = { batches: 0, calls: 0 };
  readonly #latencies = { store: new LatencySketch(), disk: new LatencySketch(), roots: new LatencySketch() };
  readonly #hosts = new Map<string, HostRecord>();
  readonly #faults = new Map<string, FaultRecord>();
  readonly #timeline = new RunTimeline();
  readonly #warnings = new Map<string, number>();
  #warned = 0;
  #tasks = 0;
  #volumes: Pick<RunRecord, 'volumes' | 'unit'> = {};
  /** Slowest first. */
  #slowest: SlowChunk[] = [];

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** Takes an event of a volume. */
  readonly observe = (event: VolumeEvent): void => {
    if (event.type === 'chunk') this.#addChunk(event);
    else if (event.type === 'rootRequest') this.#addRootRequest(event);
    else if (event.type === 'retry') {
      const host = this.#hostNamed(event.host);
      host.retries++;
      host.waitedMs += event.delayMs;
      this.#count('retries', 1);
    } else {
      this.#batches.batches++;
      this.#batches.calls += event.calls;
    }
  };

  /** Counts points that are looked up. */
  addPoints(count: number): void {
    this.#count('points', count);
  }

  /** Notes which volumes are open. */
  noteVolumes(volumes: NonNullable<RunRecord['volumes']>, unit: RunRecord['unit']): void {
    this.#volumes = { volumes, unit };
  }

  /** Counts a task of a job that is done. */
  addTask(): void {
    this.#tasks++;
  }

  /** Notes a warning. */
  warn(message: string): void {
    this.#warned++;
    const text = safeMessage(message),
      known = this.#warnings.get(text);
    if (known !== undefined || this.#warnings.size < MOST.warnings)
      this.#warnings.set(text, (known ?? 0) + 1);
  }

  /** Returns what the run did so far. */
  record({ outcome, error }: RunEnd): RunRecord {
    const { startMs, step, program, node, platform, elapsedMs, peakMemoryBytes } = this.#context,
      { store, disk, roots } = this.#latencies;
    return {
      format: 1,
      startMs,
      ms: elapsedMs(),
      outcome,
      ...(error !== undefined && { error: safeMessage(messageOf(errorJson(error))) }),
      step,
      tasks: this.#tasks,
      program,
      node,
      platform,
      peakMemoryBytes: peakMemoryBytes(),
      chunks: { ...this.#chunks },
      roots: { ...this.#roots },
      batches: { ...this.#batches },
      latencies: { store: toPlain(store), disk: toPlain(disk), roots: toPlain(roots) },
      hosts: [...this.#hosts.values()].map((host) => ({ ...host })),
      faults: [...this.#faults.values()].map((fault) => ({ ...fault })),
      slowest: [...this.#slowest],
      timeline: toPlainTimeline(this.#timeline),
      ...this.#volumes,
      warnings: {
        total: this.#warned,
        texts: Array.from(this.#warnings, ([text, count]) => ({ text, count })),
      },
    };
  }

  #addChunk(event: ChunkEvent): void {
    const { url, from, outcome, bytes, ms } = event;
    this.#count('chunks', 1);
    if (from === 'cache') {
      this.#chunks.disk++;
      this.#chunks.diskBytes += bytes;
      this.#latencies.disk.add(ms);
    } else {
      const host = this.#hostNamed(hostOf(url));
      host[outcome]++;
      this.#chunks[outcome === 'read' ? 'store' : outcome]++;
      this.#chunks.bytes += bytes;
      this.#count('bytes', bytes);
      if (outcome === 'failed') this.#addFault(host.host, 'chunk', event.error);
      else this.#latencies.store.add(ms);
    }
    const last = this.#slowest.at(-1);
    if (this.#slowest.length < MOST.slowest || ms > last!.ms) {
      this.#slowest.push({ url: safeUrl(url), ms, bytes, outcome, from });
      this.#slowest = this.#slowest.toSorted((a, b) => b.ms - a.ms).slice(0, MOST.slowest);
    }
  }

  #addRootRequest({ endpoint, ids, bytes, ms, error }: RootRequestEvent): void {
    const host = this.#hostNamed(this.#context.graphHost?.() ?? 'graph server');
    this.#roots.requests++;
    this.#roots.ids += ids;
    this.#roots.bytes += bytes;
    if (endpoint === 'is_latest_roots') this.#roots.checks++;
    this.#count('rootRequests', 1);
    if (error === undefined) {
      host.rootRequests++;
      this.#latencies.roots.add(ms);
    } else {
      host.rootFailures++;
      this.#roots.failed++;
      this.#addFault(host.host, 'roots', error);
    }
  }

  #addFault(host: string, what: FaultRecord['what'], error: unknown): void {
    const json = errorJson(error),
      code = codeOf(json),
      key = `${what} ${host} ${code}`;
    const known =
      this.#faults.get(key) ?? (this.#faults.size < MOST.faults ? undefined : this.#faults.get(OTHERS));
    if (known) known.count++;
    else
      this.#faults.set(
        this.#faults.size < MOST.faults ? key : OTHERS,
        this.#faults.size < MOST.faults
          ? { host, what, code, count: 1, message: safeMessage(messageOf(json)) }
          : { host: OTHERS, what, code: OTHERS, count: 1, message: '' },
      );
  }

  #hostNamed(name: string): HostRecord {
    const host = this.#hosts.has(name) || this.#hosts.size < MOST.hosts ? name : OTHERS;
    let known = this.#hosts.get(host);
    if (!known) {
      const none = {
        read: 0,
        missing: 0,
        failed: 0,
        rootRequests: 0,
        rootFailures: 0,
        retries: 0,
        waitedMs: 0,
      };
      this.#hosts.set(host, (known = { host, ...none }));
    }
    return known;
  }

  #count(name: Parameters<RunTimeline['add']>[0], amount: number): void {
    this.#timeline.add(name, this.#context.elapsedMs(), amount);
  }
}

const toPlain = (sketch: LatencySketch): RunRecord['latencies']['store'] => {
  const { buckets, ...rest } = sketch.toJSON();
  return { ...rest, buckets: buckets.map(([index, count]) => [index, count]) };
};

const toPlainTimeline = (timeline: RunTimeline): RunRecord['timeline'] => {
  const { widthMs, counts } = timeline.toJSON();
  return {
    widthMs,
    counts: Object.fromEntries(
      Object.entries(counts).map(([name, bins]) => [name, [...bins]]),
    ) as RunRecord['timeline']['counts'],
  };
};

/** The code of the innermost error that has one, and the status of a reply. */
function codeOf(json: ErrorJson): string {
  let code = json.code ?? json.name,
    status = json.status;
  for (let at = json.cause; at; at = at.cause) {
    code = at.code ?? code;
    status = at.status ?? status;
  }
  return typeof status === 'number' ? `${code} ${status}` : code;
}

/** The messages of an error and its causes. */
function messageOf(json: ErrorJson): string {
  let text = '';
  for (let at: ErrorJson | undefined = json; at; at = at.cause)
    if (!text.includes(at.message)) text = text === '' ? at.message : `${text}: ${at.message}`;
  return text;
}
