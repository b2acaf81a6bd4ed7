/** The context of one task. */
import type { Stop } from '../base/stop.ts';
import type { Meter } from '../storage/store.ts';
import type { ReadContext, ReadTask } from './chunk-source.ts';

/** A context whose signal is that of its stop. A class, because a getter of an object literal costs more. */
export class TaskContext implements ReadContext {
  /** How many stored bytes the task has delivered. */
  storedBytes = 0;
  readonly stop: Stop;
  readonly meter: Meter;
  readonly wanted: ReadContext['wanted'];
  readonly deliver: ReadContext['deliver'];
  readonly deliverNow: ReadContext['deliverNow'];
  readonly deliverParts: ReadContext['deliverParts'];
  readonly readEntry: ReadContext['readEntry'];
  readonly workOf: ReadContext['workOf'];
  readonly threads: ReadContext['threads'];
  readonly deliveriesAtOnce: number | undefined;
  readonly onMiss: ReadContext['onMiss'];
  readonly fail: ReadContext['fail'];

  constructor(parts: Omit<ReadContext, 'signal'> & { stop: Stop }) {
    this.stop = parts.stop;
    this.meter = parts.meter;
    this.wanted = parts.wanted;
    this.deliver = parts.deliver;
    this.deliverNow = parts.deliverNow;
    this.deliverParts = parts.deliverParts;
    this.readEntry = parts.readEntry;
    this.workOf = parts.workOf;
    this.threads = parts.threads;
    this.deliveriesAtOnce = parts.deliveriesAtOnce;
    this.onMiss = parts.onMiss;
    this.fail = parts.fail;
  }

  /** Runs the task of the context. Does not throw. */
  start(task: ReadTask): ReturnType<ReadTask['run']> {
    try {
      return task.run(this);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  get signal(): AbortSignal {
    return this.stop.signal;
  }
}
