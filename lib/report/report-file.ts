/** Turns what is known of a run into the bytes of a report. The charts are loaded only when a report is written. */
import type { ReportInput } from './model/report-facts.ts';
import { renderReport } from './page/report-page.ts';

/** Makes the HTML of a report. */
export async function makeReport(input: ReportInput): Promise<Uint8Array> {
  const { drawSvg } = await import('./page/echarts-svg.ts');
  return Buffer.from(renderReport(input, drawSvg));
}
