// Charts: <div data-chart="/console/....json"> draws what it is given there: {kind, title, unit, x, series: [{name, data, tone}]}.
// With `data-said` it draws that, and asks nobody.
// `kind`: line, area, bar, pie. A room whose chart needs more writes its own script with ./lib/chart.js.
import { draw, frame } from "./lib/chart.js";

const TONES = ["primary", "orange", "green", "purple", "red", "cyan"];

function option(said, colour) {
  if (said.kind === "pie") {
    return { tooltip: { trigger: "item" }, legend: { bottom: 0 }, series: [{ type: "pie", radius: ["45%", "70%"], data: said.series[0].data.map((value, place) => ({ value, name: said.x[place] })) }] };
  }
  return {
    ...frame(),
    legend: said.series.length > 1 ? { bottom: 0 } : undefined,
    xAxis: { type: "category", data: said.x },
    yAxis: { type: "value", name: said.unit, scale: said.kind === "line" },
    series: said.series.map((one, place) => ({
      name: one.name,
      type: said.kind === "bar" ? "bar" : "line",
      areaStyle: said.kind === "area" ? { opacity: 0.2 } : undefined,
      data: one.data,
      showSymbol: false,
      itemStyle: { color: colour(one.tone ?? TONES[place % TONES.length]) },
    })),
  };
}

async function show(place) {
  place.dataset.drawn = "yes";
  if (place.dataset.said) {
    draw(place, JSON.parse(place.dataset.said), option);
    return;
  }
  const answer = await fetch(place.dataset.chart, { headers: { Accept: "application/json" } });
  if (answer.ok) draw(place, await answer.json(), option);
}
const showAll = () => document.querySelectorAll("[data-chart]:not([data-drawn])").forEach(show);
document.body.addEventListener("htmx:afterSwap", showAll);
showAll();
