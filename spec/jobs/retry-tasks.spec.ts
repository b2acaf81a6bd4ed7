import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readDoneTasks, scanTasks, withPlannedJob } from '../../lib/jobs/job-files.ts';
import { JobFolder } from '../../lib/jobs/job-folder.ts';
import { readPlan } from '../../lib/jobs/job-plan.ts';
import { createGraphLookup, type GraphVolume, type PointBatch } from '../../lib/jobs/point-lookup.ts';
import { type Retried, retryTasks } from '../../lib/jobs/retry-tasks.ts';
import { TaskStore } from '../../lib/jobs/task-store.ts';
import type { Row } from '../../lib/points/result.ts';
import { PointStatus, statusText } from '../../lib/points/status.ts';
import { AT, fakeGraphVolume } from './fake-volume.ts';
import { goOn, JOB, lookUpAtOnce, order } from './small-job.ts';

const home = mkdtempSync(join(tmpdir(), 'retry-tasks-'));
afterAll(() => rmSync(home, { recursive: true }));

describe('retryTasks', () => {
  test('looks up only failed points again, few chunks at a time', async () => {
    const one = await lookUpAtOnce();
    const started = { folder: await JobFolder.createTemporary(home), job: JOB },
      volume = fakeGraphVolume();
    const fails = (x: number): boolean => x % 3 === 0;
    const broken: GraphVolume = {
      ...volume,
      async scatteredPoints(points, options) {
        const answer = await volume.scatteredPoints(points, options);
        for (const k of answer.status.keys())
          if (fails(points[3 * k])) {
            answer.status[k] = PointStatus.failed;
            answer.supervoxelIds[k] = answer.rootIds![k] = 0n;
          }
        const error = new Error('it broke');
        const rows = (): Iterable<Row> =>
          Array.from(answer.status, (code, index) => ({
            index,
            status: statusText(code),
            error: code === PointStatus.failed ? error : undefined,
          }));
        return { ...answer, rows } as typeof answer;
      },
    };
    const first = await goOn(started, undefined, broken);
    expect(first.text === one.text).toBe(false);
    const asked: number[] = [],
      chunks: number[] = [];
    const lookup = createGraphLookup(volume, {}),
      lookups = [
        {
          ...lookup,
          lookUp: (batch: PointBatch) => {
            for (let k = 0; k < batch.points.length; k += 3) asked.push(batch.points[k]);
            chunks.push(order.place(batch.points).keys.length);
            return lookup.lookUp(batch);
          },
        },
      ];
    const plan = (await readPlan(started.folder, JOB))!;
    const retry = (attempt: number): Promise<Retried> =>
      withPlannedJob(started, plan, async (planned) =>
        retryTasks(
          { ...planned, lookups, order, windowChunks: 1, attempt },
          await readDoneTasks(planned),
          undefined,
        ),
      );
    const { points, answered } = await retry(1);
    // Those that fail always stay failed.
    expect(points - answered).toBe(one.statuses!.failed);
    expect(asked.length).toBe(points);
    expect(asked.filter((x) => !fails(x) && x !== AT.failed)).toEqual([]);
    const { done } = await scanTasks({ plan, store: new TaskStore(started) });
    // No call has more chunks than may be looked up together.
    expect(Math.max(...chunks)).toBe(1);
    expect(chunks.length).toBeGreaterThan(done.filter(({ attempt }) => attempt === 1).length);
    const second = await goOn(started);
    expect([second.text === one.text, second.asked, second.statuses]).toEqual([true, 0, one.statuses]);
    // This retry is done; the next one is not.
    expect(await retry(1)).toEqual({ points: 0, answered: 0 });
    expect(await retry(2)).toEqual({ points: one.statuses!.failed, answered: 0 });
  });
});
