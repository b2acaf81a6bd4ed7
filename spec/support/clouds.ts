/**
 * Shared by specs of private buckets: folders of secrets, replies of S3, an environment without the machine's
 * own settings.
 */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';

/** Makes a folder for CLOUD_VOLUME_DIR with these files in `secrets`: text as it is, other values as JSON. */
export function secretsFolder(files: Record<string, unknown> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'secrets-'));
  mkdirSync(join(folder, 'secrets'));
  for (const [name, content] of Object.entries(files))
    writeFileSync(
      join(folder, 'secrets', name),
      typeof content === 'string' ? content : JSON.stringify(content),
    );
  return folder;
}

export const s3ErrorBody = (code: string, more = ''): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>words</Message>${more}</Error>`;

/** Fakes the clock only; sockets and timers stay real. */
export function stopClock(now: Date | string): void {
  jest.useFakeTimers({
    now: new Date(now),
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'clearImmediate',
      'setInterval',
      'clearInterval',
      'setTimeout',
      'clearTimeout',
    ],
  });
}
