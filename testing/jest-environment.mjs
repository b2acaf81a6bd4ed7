/**
 * The environment of each spec file: Jest's own for Node, without two things that cost much time.
 * - jest-circus runs each test in an `AsyncLocalStorage`, and never disables it. Before Node 24, each promise
 *   calls a hook for each such storage. After 60 files, an `await` took 80 times as long.
 * - Jest keeps 100 frames of the stack of each error. Specs make many errors, and look at few of them.
 */
import asyncHooks from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';

/** A value in some versions of Node, and a getter in others. */
const original = Object.getOwnPropertyDescriptor(asyncHooks, 'AsyncLocalStorage');
const restoreStorage = () => void Object.defineProperty(asyncHooks, 'AsyncLocalStorage', original);
const STACK_FRAMES = 10; // as in Node

/**
 * Stands in for an `AsyncLocalStorage` where one test runs at a time: what runs now belongs to the test that
 * runs now. So specs must not use `test.concurrent`.
 */
class StorageOfOneTest {
  #store;

  getStore() {
    return this.#store;
  }

  run(store, callback) {
    const before = this.#store;
    const restore = () => void (this.#store = before);
    this.#store = store;
    let result;
    try {
      result = callback();
    } catch (error) {
      restore();
      throw error;
    }
    if (typeof result?.then !== 'function') restore();
    else result.then(restore, restore);
    return result;
  }
}

export default class SpecEnvironment extends TestEnvironment {
  async setup() {
    await super.setup();
    Error.stackTraceLimit = this.global.Error.stackTraceLimit = STACK_FRAMES;
    // jest-circus is loaded anew for each file, after this.
    Object.defineProperty(asyncHooks, 'AsyncLocalStorage', {
      configurable: true,
      enumerable: true,
      writable: true,
      value: StorageOfOneTest,
    });
  }

  /** Jest calls this at each step of a run. At the first one, jest-circus has its storage. */
  handleTestEvent() {
    restoreStorage();
  }

  async teardown() {
    restoreStorage();
    await super.teardown();
  }
}
