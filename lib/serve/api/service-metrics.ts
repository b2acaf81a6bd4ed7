/** The metrics of a service, as Prometheus reads them. No label holds a token, a query or a name of a caller. */
import type { Registry } from 'prom-client';
import type { LookupStats } from '../../points/result.ts';
import { PointStatus, statusText } from '../../points/status.ts';
import { importPackage } from '../../http/import-package.ts';
import { countStatuses } from './look-up.ts';
import type { WorkGate } from './work-gate.ts';

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** What is counted. */
interface Notes {
  request(route: string, status: number, seconds: number): void;
  answers(status: Uint8Array, stats: LookupStats | undefined): void;
}

/** The metrics of one service. */
export class ServiceMetrics {
  readonly #registry: Registry;
  readonly #note: Notes;

  private constructor(registry: Registry, note: Notes) {
    this.#registry = registry;
    this.#note = note;
  }

  /** Imports the package and creates the metrics. */
  static async create(gate: WorkGate): Promise<ServiceMetrics> {
    const { default: prom } = await importPackage(() => import('prom-client'));
    const registry = new prom.Registry(),
      registers = [registry];
    const named = (name: string, help: string): { name: string; help: string; registers: Registry[] } => ({
      name: `graphene_points_${name}`,
      help,
      registers,
    });
    const counter = (name: string, help: string) => new prom.Counter(named(name, help));
    const requests = new prom.Counter({
      ...named('requests_total', 'Requests by route and HTTP status'),
      labelNames: ['route', 'status'],
    });
    const seconds = new prom.Histogram({
      ...named('request_seconds', 'Time from the head of a request to the end of its answer'),
      labelNames: ['route'],
      buckets: SECONDS,
    });
    const statuses = new prom.Counter({
      ...named('rows_total', 'Points and IDs that were answered, by status'),
      labelNames: ['status'],
    });
    const points = counter('points_total', 'Points and IDs that were answered'),
      rejected = counter('rejected_total', 'Requests that were refused because the queue was full'),
      chunks = counter('chunks_total', 'Distinct chunks of the points of each call'),
      storage = counter('storage_requests_total', 'Requests for chunks'),
      bytes = counter('storage_bytes_total', 'Stored bytes that those requests returned'),
      hits = counter('chunk_cache_hits_total', 'Chunks from memory, or from a read in flight'),
      roots = counter('root_requests_total', 'Root requests that calls shared in'),
      rootHits = counter('root_cache_hits_total', 'IDs whose root came from the root cache');
    new prom.Gauge({
      ...named('queue_length', 'Requests that wait'),
      collect() {
        this.set(gate.queued);
      },
    });
    new prom.Gauge({
      ...named('requests_running', 'Requests that are worked on'),
      collect() {
        this.set(gate.running);
      },
    });
    prom.collectDefaultMetrics({ register: registry });
    const texts = Object.values(PointStatus).map(statusText);
    return new ServiceMetrics(registry, {
      request(route, status, elapsed) {
        requests.inc({ route, status });
        seconds.observe({ route }, elapsed);
        if (status === 429) rejected.inc();
      },
      answers(status, stats) {
        points.inc(status.length);
        countStatuses(status).forEach((count, code) => {
          if (count > 0) statuses.inc({ status: texts[code] }, count);
        });
        if (!stats) return;
        chunks.inc(stats.chunks);
        storage.inc(stats.requests);
        bytes.inc(stats.bytes);
        hits.inc(stats.cacheHits);
        roots.inc(stats.rootRequests);
        rootHits.inc(stats.rootCacheHits ?? 0);
      },
    });
  }

  /** Counts a request. @param route Its pattern, never its URL. */
  noteRequest(route: string, status: number, seconds: number): void {
    this.#note.request(route, status, seconds);
  }

  /** Counts answers. */
  noteAnswers(status: Uint8Array, stats: LookupStats | undefined): void {
    this.#note.answers(status, stats);
  }

  /** The type of the text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Returns all metrics as text. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
