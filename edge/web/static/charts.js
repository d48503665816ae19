// Three charts of the last minute, each stride with its 95 % bar. Left: blue squares on a whole line;
// right: orange circles on a dashed one.

import { byId } from "./dom.js";

const SHOWN_S = 60;
const HEIGHT = 160;
const Z_95 = 1.96;
// The least height of an axis: chance alone must not look like a storm.
const CHARTS = [
  { id: "chart-time", value: "stride_time_s", sd: "stride_time_sd_s", least: 0.2, digits: 2 },
  { id: "chart-length", value: "stride_length_m", sd: "stride_length_sd_m", least: 0.3, digits: 2 },
  { id: "chart-stance", value: "stance_pct", sd: "stance_sd_pct", least: 10, digits: 0 },
];

const points = new Map();
let drawn = [];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function addStrides(strides) {
  for (const stride of strides) points.set(stride.id, stride);
}

export function drawCharts(nowS) {
  for (const [id, stride] of points) if (stride.utc_s < nowS - 2 * SHOWN_S) points.delete(id);
  if (drawn.length === 0) build();
  for (const { chart, spec } of drawn) {
    chart.bars = bars(spec, nowS);
    chart.setData(columns(chart.bars));
  }
}

function build() {
  drawn = CHARTS.map((spec) => ({ spec, chart: new uPlot(options(spec), [[], [], []], byId(spec.id)) }));
}

// One row a stride: [seconds ago (negative), value, half the interval, side].
function bars(spec, nowS) {
  return [...points.values()]
    .map((stride) => [stride.utc_s - nowS, stride[spec.value], Z_95 * (stride[spec.sd] ?? 0), stride.side])
    .filter(([ago, value]) => ago >= -SHOWN_S && value !== null)
    .sort((a, b) => a[0] - b[0]);
}

const columns = (rows) => [
  rows.map(([ago]) => ago),
  rows.map(([, value, , side]) => (side === "left" ? value : undefined)),
  rows.map(([, value, , side]) => (side === "right" ? value : undefined)),
];

function range(spec) {
  return (chart) => {
    const ends = (chart.bars ?? []).flatMap(([, value, half]) => [value - half, value + half]);
    if (ends.length === 0) return [0, 1];
    const low = Math.min(...ends);
    const high = Math.max(...ends);
    const spare = Math.max(spec.least - (high - low), 0.1 * (high - low)) / 2;
    return [low - spare, high + spare];
  };
}

function options(spec) {
  const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--edge"), width: 1 }, ticks: { show: false }, font: "14px system-ui, sans-serif" };
  return {
    width: byId(spec.id).clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-SHOWN_S, 0] }, y: { range: range(spec) } },
    axes: [
      { ...axis, size: 28, values: (_, ticks) => ticks.map((t) => (t === 0 ? "now" : `${-t} s ago`)), space: 90 },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((t) => t.toFixed(spec.digits)) },
    ],
    series: [
      {},
      { stroke: colour("--left"), width: 2, spanGaps: true, points: { show: false } },
      { stroke: colour("--right"), width: 2, dash: [6, 5], spanGaps: true, points: { show: false } },
    ],
    hooks: { draw: [marks] },
  };
}

function marks(chart) {
  const context = chart.ctx;
  const size = 4 * devicePixelRatio;
  context.save();
  context.lineWidth = 1.5 * devicePixelRatio;
  context.setLineDash([]);
  for (const [ago, value, half, side] of chart.bars ?? []) {
    const x = chart.valToPos(ago, "x", true);
    const y = chart.valToPos(value, "y", true);
    context.strokeStyle = context.fillStyle = colour(`--${side}`);
    context.globalAlpha = 0.55;
    context.beginPath();
    context.moveTo(x, chart.valToPos(value - half, "y", true));
    context.lineTo(x, chart.valToPos(value + half, "y", true));
    context.stroke();
    context.globalAlpha = 1;
    context.beginPath();
    if (side === "left") context.rect(x - size, y - size, 2 * size, 2 * size);
    else context.arc(x, y, 1.15 * size, 0, 2 * Math.PI);
    context.fill();
  }
  context.restore();
}

// Another width, or light and dark changed: drawn anew.
export function redraw() {
  for (const { chart } of drawn) chart.destroy();
  drawn = [];
}
