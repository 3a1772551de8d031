// Charts: <div data-chart="/console/....json"> draws what it is given there: {kind, title, unit, x, series: [{name, data, tone}]}.
// With `data-said` it draws that, and asks nobody.
// `kind`: line, area, bar, pie. A room whose chart needs more writes its own script with ./lib/chart.js.
import { draw, frame } from "./lib/chart.js";

const TONES = ["primary", "orange", "green", "purple", "red", "cyan"];
const SLICES = ["primary", "cyan", "orange", "red", "purple", "green"];

// Shares stand in the legend: labels around a pie have no room on a phone.
function pie(said, colour) {
  const data = said.series[0].data.map((value, place) => ({ value, name: said.x[place] }));
  const whole = data.reduce((sum, slice) => sum + Number(slice.value), 0);
  const share = (name) => Math.round((100 * data.find((slice) => slice.name === name).value) / (whole || 1));
  return {
    color: SLICES.map(colour),
    tooltip: { trigger: "item" },
    legend: { bottom: 0, formatter: (name) => `${name} ${share(name)} %` },
    series: [{ type: "pie", radius: ["45%", "70%"], center: ["50%", "42%"], label: { show: false }, data }],
  };
}

function option(said, colour) {
  if (said.kind === "pie") return pie(said, colour);
  return {
    ...frame(),
    legend: said.series.length > 1 ? { type: "scroll", bottom: 0 } : undefined,
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
