/** Watches a look-up for its report: the events of its volumes, and the answers of its batches. */
import { cooperativeRunner } from '../base/cooperative-work.ts';
import { wordsOf } from '../base/uint64.ts';
import type { VolumeEvent } from '../base/volume-events.ts';
import { USER_AGENT } from '../http/user-agent.ts';
import { messageWithCauses } from '../jobs/messages.ts';
import type { LookupAnswers, PointBatch, PointLookup } from '../jobs/point-lookup.ts';
import { PointStatus } from '../points/status.ts';
import type { RowAnswers } from '../tables/answers.ts';
import { AnswerCollector } from './model/answer-collector.ts';
import { RunCollector } from './model/run-collector.ts';
import { hostOf } from './model/safe-url.ts';

/** What one run does, as its report tells it. */
export class ReportWatch {
  readonly run: RunCollector;
  /** The answers of this run; undefined if the folder of a job has them. */
  readonly answers: AnswerCollector | undefined;
  #graphHost: string | undefined;

  /**
   * @param step What the run is: `lookup`, `job run`.
   * @param volumes The names of the volumes, the main one first; undefined if answers are not collected.
   */
  constructor(step: string, volumes: readonly string[] | undefined) {
    const began = performance.now();
    this.answers = volumes && new AnswerCollector(volumes);
    this.run = new RunCollector({
      step,
      program: USER_AGENT,
      node: process.versions.node,
      platform: `${process.platform} ${process.arch}`,
      startMs: Date.now(),
      elapsedMs: () => performance.now() - began,
      peakMemoryBytes: () => process.resourceUsage().maxRSS * 1024,
      graphHost: () => this.#graphHost,
    });
  }

  /** Takes the events of volumes. */
  readonly onEvent = (event: VolumeEvent): void => this.run.observe(event);

  /** Notes which server answers root requests. */
  noteGraph(server: string | undefined): void {
    if (server !== undefined) this.#graphHost = hostOf(server);
  }

  /** Returns a look-up that does the same, and is watched. @param index The number of its volume; 0 is the main one. */
  watch(lookup: PointLookup, index: number): PointLookup {
    return Object.assign(Object.create(lookup) as PointLookup, {
      lookUp: (batch: PointBatch) => this.#lookUp(lookup, index, batch),
    });
  }

  async #lookUp(lookup: PointLookup, index: number, batch: PointBatch): Promise<LookupAnswers> {
    const count = batch.points.length / 3;
    let done = 0;
    const noteDone = (now: number): void => {
      if (index > 0 || now <= done) return;
      this.run.addPoints(now - done);
      done = now;
    };
    const answers = await lookup.lookUp({
      ...batch,
      onProgress: (progress) => {
        const { chunksDone, chunks } = progress;
        if (chunks > 0) noteDone(Math.floor((count * chunksDone) / chunks));
        batch.onProgress?.(progress);
      },
    });
    noteDone(count);
    if (this.answers) await this.#addAnswers(this.answers, lookup, index, batch, answers);
    return answers;
  }

  async #addAnswers(
    collector: AnswerCollector,
    { kind }: PointLookup,
    index: number,
    { points, signal }: PointBatch,
    answers: LookupAnswers,
  ): Promise<void> {
    const collected = { status: answers.status, roots: rootWordsOf(answers, kind) };
    await cooperativeRunner.run(collector.addInSteps(index, points, collected), signal);
    const hasFailed =
      answers.status.includes(PointStatus.failed) || answers.status.includes(PointStatus.rootFailed);
    if (!hasFailed || !collector.wantsFailures) return;
    for (const { index: point, status, error } of answers.errors()) {
      if (!error) continue;
      if (!collector.wantsFailures) break;
      const [x, y, z] = points.subarray(3 * point, 3 * point + 3);
      collector.addFailure(index, [x, y, z], status, messageWithCauses(error));
    }
  }
}

/** Returns the roots of answers as pairs of uint32; undefined if no roots were looked up. */
export function rootWordsOf(
  { columns }: Pick<RowAnswers, 'columns'>,
  kind: PointLookup['kind'],
): Uint32Array | undefined {
  const values = kind === 'graph' ? columns[1]?.values : undefined;
  return values instanceof BigUint64Array ? wordsOf(values) : undefined;
}
