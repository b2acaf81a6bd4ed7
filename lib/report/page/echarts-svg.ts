/** Draws charts as SVG with Apache ECharts, without a browser. The build makes one file of this and of what it uses of ECharts. */
import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, MarkLineComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([BarChart, LineChart, ScatterChart, GridComponent, MarkLineComponent, SVGRenderer]);

/**
 * Draws a chart.
 * @param option An option of ECharts.
 * @returns The SVG element. What is for pointers is left out, and the clips, which charts need only while they move.
 */
export function drawSvg(option: object, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    return chart
      .renderToSVGString()
      .replace(/<style\b[^>]*>[\s\S]*?<\/style>|<defs>[\s\S]*?<\/defs>/g, '')
      .replace(
        / (?:class="zr\d+-cls-\d+"|clip-path="[^"]*"|ecmeta_[a-z_]+="[^"]*"|pointer-events="visible"|xmlns:xlink="[^"]*"|baseProfile="full"|version="1\.1")/g,
        '',
      )
      .replace(/\n\s*/g, '');
  } finally {
    chart.dispose();
  }
}
