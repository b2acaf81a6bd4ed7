import { watch } from 'node:fs/promises';

/** Resolves when a file that is not whole yet is created in a folder; watches from the moment it is called. */
export async function firstChange(folder: string): Promise<void> {
  // leaving the loop ends the watching
  for await (const { filename } of watch(folder)) if (filename?.endsWith('.partial')) return;
}
