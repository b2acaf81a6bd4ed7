/** Builds the file that draws the charts of reports: all that it needs of ECharts, in one file. */
import { build } from 'esbuild';

/** The place of the file in `dist/`, seen from the built files that import it. */
export const CHARTS = 'charts/echarts-svg.mjs';

/** Builds the file. */
export const buildCharts = (outfile) =>
  build({
    entryPoints: ['lib/report/page/echarts-svg.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minify: true,
    legalComments: 'none', // licenses/echarts.txt
    lineLimit: 160,
    logLevel: 'warning',
  });

/** Lets other built files import that file: the library and the command line share it, and load it only for a report. */
export const sharedCharts = {
  name: 'shared-charts',
  setup: ({ onResolve }) =>
    onResolve({ filter: /\/echarts-svg\.ts$/ }, ({ kind }) =>
      kind === 'entry-point' ? undefined : { path: `../${CHARTS}`, external: true },
    ),
};
