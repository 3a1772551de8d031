// ECharts with what we need of it, in the page's colours, light and dark.
import { BarChart, CustomChart, LineChart, PieChart, ScatterChart } from "echarts/charts";
import { AriaComponent, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([AriaComponent, BarChart, CanvasRenderer, CustomChart, DataZoomComponent, GridComponent, LegendComponent, LineChart, MarkAreaComponent, MarkLineComponent, PieChart, ScatterChart, TooltipComponent]);

export const colour = (tone) => getComputedStyle(document.documentElement).getPropertyValue(`--tblr-${tone}`).trim() || tone;

export function frame() {
  return { grid: { left: 48, right: 16, top: 24, bottom: 40 }, tooltip: { trigger: "axis" }, aria: { enabled: true }, animation: false };
}

// Draws `option(said, colour)` into a place, and again when the theme or the size changes. Returns the chart.
export function draw(place, said, option) {
  let chart;
  const again = () => {
    chart?.dispose();
    chart = init(place, document.documentElement.getAttribute("data-bs-theme") === "dark" ? "dark" : undefined);
    chart.setOption({ backgroundColor: "transparent", ...option(said, colour) });
  };
  again();
  new ResizeObserver(() => chart.resize()).observe(place);
  new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
  return { get chart() { return chart; } };
}
