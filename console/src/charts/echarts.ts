/** The parts of ECharts that are used. This file is loaded when the first plot is shown, not with the page. */
import { BarChart, LineChart, ParallelChart, ScatterChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, MarkLineComponent, ParallelComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers';

echarts.use([LineChart, BarChart, ParallelChart, ScatterChart, ParallelComponent, GridComponent, LegendComponent, MarkLineComponent, TooltipComponent, AriaComponent, CanvasRenderer, SVGRenderer]);

export { echarts };
