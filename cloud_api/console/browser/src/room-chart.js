// A room's chart: <div data-room-chart="/console/....json"> draws mean and band of each sensor, limits as dashed lines,
// excursions as marked areas, gaps as gaps; it is read again when the page hears of new readings (data-follows).
// Rooms that are compared (`said.compared`) are lines without bands, of the tone and kind that their names below have;
// what only one of them is kept at (`own_limits`) has its tone.
import { colour, draw, frame } from "./lib/chart.js";

const TONES = ["azure", "purple", "teal", "orange", "pink", "lime", "indigo", "cyan"];
const PAUSE_MS = 20000;

function band(one, tone, place) {
  const at = (value) => one.points.map((point) => [point[0], value(point)]);
  const bare = { type: "line", symbol: "none", lineStyle: { opacity: 0 }, silent: true, stack: `band-${place}`, stackStrategy: "all", tooltip: { show: false }, z: 1 };
  return [
    { ...bare, name: one.name, data: at((point) => point[1]) },
    { ...bare, name: one.name, data: at((point) => (point[3] === null ? null : point[3] - point[1])), areaStyle: { color: tone, opacity: 0.18 } },
  ];
}

function marks(said, colour, tones) {
  const area = (from, to, color, opacity, name) => [{ xAxis: from, name, itemStyle: { color, opacity } }, { xAxis: to }];
  return {
    markLine: {
      silent: true,
      symbol: "none",
      lineStyle: { color: colour("red"), type: "dashed", width: 1.5 },
      label: { formatter: ({ value }) => `${value} ${said.unit}`, position: "insideEndTop", color: colour("red") },
      data: [
        ...said.limits.map((value) => ({ yAxis: value })),
        ...(said.own_limits ?? []).map(([value, place]) => ({ yAxis: value, lineStyle: { color: tones[place] }, label: { color: tones[place] } })),
      ],
    },
    markArea: {
      silent: true,
      label: { show: false },
      data: [
        ...said.gaps.map(([from, to]) => area(from, to, "#808080", 0.1, "")),
        ...said.excursions.map((one) => area(one.from, one.to, colour(one.severity === "critical" ? "red" : "orange"), 0.14, one.name)),
      ],
    },
  };
}

const rounded = (value) => (value === null || value === undefined ? "–" : Number(value).toFixed(1));

function words(said, shown) {
  const box = document.createElement("div");
  const at = new Date(shown[0].axisValue).toISOString();
  const head = document.createElement("strong");
  head.textContent = `${at.slice(8, 10)}.${at.slice(5, 7)}. ${at.slice(11, 16)}`;
  box.append(head);
  const within = said.excursions.filter((one) => one.from <= shown[0].axisValue && shown[0].axisValue <= one.to);
  shown.filter((one) => one.seriesId?.startsWith("mean-")).forEach((one) => {
    const [, least, mean, most] = one.data;
    if (mean === null) return;
    const line = document.createElement("div");
    line.textContent = `${one.seriesName}: ${rounded(mean)} ${said.unit} (${rounded(least)} – ${rounded(most)})`;
    box.append(line);
  });
  within.forEach((one) => {
    const line = document.createElement("div");
    line.textContent = one.name;
    line.style.color = "var(--tblr-red)";
    box.append(line);
  });
  return box;
}

// from columns, as they are sent, to points of [time, least, mean, greatest]
function unfolded(said) {
  const points = (one) => {
    const steps = one.after.flatMap(([seconds, count]) => Array(count).fill(seconds * 1000));
    let at = one.start;
    return one.mean.map((mean, place) => [place === 0 ? at : (at += steps[place - 1]), one.least[place], mean, one.most[place]]);
  };
  return { ...said, series: said.series.map((one) => ({ ...one, points: points(one) })) };
}

function scale(said) {
  const ends = said.compared ? [2] : [1, 3];
  const limits = said.limits.concat((said.own_limits ?? []).map(([value]) => value));
  const values = said.series.flatMap((one) => one.points.flatMap((point) => ends.map((at) => point[at]))).concat(limits).filter((value) => value !== null);
  if (values.length === 0) return {};
  const low = Math.min(...values);
  const high = Math.max(...values);
  const spare = Math.max((high - low) * 0.1, 0.5);
  return { min: Math.floor(low - spare), max: Math.ceil(high + spare) };
}

function option(said, colour) {
  const tones = said.series.map((one, place) => colour(one.tone ?? TONES[place % TONES.length]));
  const muted = getComputedStyle(document.body).color;
  return {
    ...frame(),
    useUTC: true,
    grid: { left: 44, right: 16, top: 16, bottom: said.series.length > 1 ? 92 : 68 },
    color: tones,
    legend: said.series.length > 1 ? { bottom: 0, type: "scroll", data: said.series.map((one) => one.name), textStyle: { color: muted } } : undefined,
    tooltip: { trigger: "axis", formatter: (shown) => words(said, shown), axisPointer: { type: "line" } },
    xAxis: { type: "time", min: said.from, max: said.to, axisLabel: { hideOverlap: true, color: muted }, splitLine: { show: false } },
    yAxis: { type: "value", ...scale(said), axisLabel: { showMinLabel: false, showMaxLabel: false, formatter: `{value} ${said.unit}`, color: muted }, splitLine: { lineStyle: { opacity: 0.25 } } },
    dataZoom: [
      { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false },
      { type: "slider", bottom: said.series.length > 1 ? 34 : 10, height: 22, showDetail: false, brushSelect: false },
    ],
    series: [
      ...(said.compared ? [] : said.series.flatMap((one, place) => band(one, tones[place], place))),
      ...said.series.map((one, place) => ({
        id: `mean-${place}`,
        name: one.name,
        type: "line",
        showSymbol: false,
        connectNulls: false,
        lineStyle: { width: 2, type: one.dash ?? "solid" },
        z: 3,
        encode: { x: 0, y: 2 },
        data: one.points,
      })),
      { type: "line", data: [], tooltip: { show: false }, ...marks(said, colour, tones) },
    ],
  };
}

document.querySelectorAll("[data-room-chart]").forEach(async (place) => {
  const ask = async () => {
    const answer = await fetch(place.dataset.roomChart, { headers: { Accept: "application/json" } });
    return answer.ok ? unfolded(await answer.json()) : null;
  };
  const said = await ask();
  if (said === null) return;
  const drawn = draw(place, said, option);
  place.dataset.drawn = String(said.series.reduce((sum, one) => sum + one.points.length, 0));
  if (!("follows" in place.dataset)) return;
  let last = Date.now();
  document.body.addEventListener("changed", async () => {
    if (Date.now() - last < PAUSE_MS) return;
    last = Date.now();
    const fresh = await ask().catch(() => null);
    if (fresh === null) return;
    Object.assign(said, fresh);
    drawn.chart.setOption(option(said, colour), { replaceMerge: ["series"] });
  });
});
