import { watch } from 'node:fs/promises';

/** Resolves when a partial file is created in a folder. It watches from the time of the call. */
export async function firstChange(folder: string): Promise<void> {
  // leaving the loop stops the watcher
  for await (const { filename } of watch(folder)) if (filename?.endsWith('.partial')) return;
}
