import { watch } from 'node:fs/promises';

/** Resolves when something is created or changed in a folder; watches from the moment it is called. */
export async function firstChange(folder: string): Promise<void> {
  for await (const _ of watch(folder)) return; // leaving the loop ends the watching
}
