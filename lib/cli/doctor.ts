/** `graphene-points doctor`: whether a volume can be read from here, and what to do when it cannot. */
import type { Finding } from '../doctor/findings.ts';
import { diagnose } from '../doctor/doctor.ts';
import { storageOf, type BucketFlags } from './bucket-flags.ts';
import type { GraphOpenFlags } from './graph-flags.ts';
import type { Io } from './io.ts';
import { plain } from './report.ts';

export interface DoctorFlags extends BucketFlags, GraphOpenFlags {
  dataDir?: string;
  json?: boolean;
}

/** @returns whether anything failed. */
export async function doctor(path: string | undefined, flags: DoctorFlags, io: Io): Promise<boolean> {
  const { server, dataDir, ocdbt, json } = flags;
  const findings: Finding[] = [];
  for await (const finding of diagnose(path, {
    server,
    dataDir,
    ocdbt,
    storage: storageOf(flags),
    signal: io.signal,
  })) {
    findings.push(finding);
    if (!json) io.stdout.write(toText(finding)); // as they come: some take their time
  }
  if (json) io.stdout.write(`${JSON.stringify(findings, null, 2)}\n`);
  return findings.some(({ verdict }) => verdict === 'fail');
}

const toText = ({ name, verdict, said, next }: Finding): string =>
  `${verdict.padEnd(4)}  ${name.padEnd(9)}  ${plain(said)}\n${next === undefined ? '' : `${' '.repeat(17)}-> ${plain(next)}\n`}`;
