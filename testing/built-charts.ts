/** Replaces lib/report/page/echarts-svg.ts in specs: the file that draws charts is built by jest-setup.mjs. */
import { join } from 'node:path';
import type * as Charts from '../lib/report/page/echarts-svg.ts';

const file = join(process.env.SPEC_PROGRAMS!, 'echarts-svg.mjs');

export const { drawSvg } = (await import(file)) as typeof Charts;
