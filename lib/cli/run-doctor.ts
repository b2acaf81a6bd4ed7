/**
 * Runs `graphene-points doctor`: checks whether a volume can be read from this machine, and prints the
 * findings.
 */
import type { Finding } from '../doctor/findings.ts';
import { diagnose } from '../doctor/diagnose.ts';
import { GRAPHENE_OPTIONS } from '../graphene/opening-options.ts';
import type { OpenGrapheneOptions } from '../graphene/option-types.ts';
import { STORAGE_OPTIONS, type StorageOptions } from '../storage/bucket-options.ts';
import type { Io } from './io.ts';
import { stripControls } from './report.ts';
import { optionsFromFlags } from './options-from-flags.ts';

/** The flags that are not in an option table. */
export interface DoctorFlags {
  json?: boolean;
}

/** Prints the findings. @returns Whether any check failed. */
export async function runDoctor(path: string | undefined, flags: DoctorFlags, io: Io): Promise<boolean> {
  const { json } = flags;
  const findings: Finding[] = [];
  for await (const finding of diagnose(path, {
    ...optionsFromFlags<OpenGrapheneOptions>(GRAPHENE_OPTIONS, flags),
    storage: optionsFromFlags<StorageOptions>(STORAGE_OPTIONS, flags),
    signal: io.signal,
  })) {
    findings.push(finding);
    if (!json) io.stdout.write(toText(finding)); // at once: some checks take long
  }
  if (json) io.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  return findings.some(({ verdict }) => verdict === 'fail');
}

const toText = ({ name, verdict, said, next }: Finding): string =>
  `${verdict.padEnd(4)}  ${name.padEnd(9)}  ${stripControls(said)}\n${next === undefined ? '' : `${' '.repeat(17)}-> ${stripControls(next)}\n`}`;
