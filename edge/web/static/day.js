// The view Day: hours, days and walks of one session.

import { byId, clock, count, day, h, number, weekday } from "./dom.js";

// An hour with less walking than this does not fill its column.
const LEAST_SCALE_MIN = 10;

export async function showDay() {
  const chosen = byId("session").value;
  const answer = await fetch(`/api/day${chosen ? `?session=${encodeURIComponent(chosen)}` : ""}`);
  if (!answer.ok) throw new Error(`the day view: ${answer.status}`);
  const view = await answer.json();
  byId("session").replaceChildren(...view.sessions.map((session) => choice(session, view.session)));
  byId("day-content").replaceChildren(...content(view));
}

function choice(session, shown) {
  const from = `${day(session.first_utc_s)}, ${clock(session.first_utc_s)}`;
  const text = session.runs ? `${from} (runs)` : `${from} to ${clock(session.last_utc_s)}`;
  const option = h("option", { value: session.session }, text);
  option.selected = session.session === shown;
  return option;
}

function content(view) {
  if (view.session === null) return [h("p", { class: "banner none" }, "No session has results yet.")];
  return [
    view.pending ? h("p", { class: "banner none" }, view.pending) : null,
    ...(view.hours.length ? hours(view.hours) : []),
    ...view.days.flatMap(wholeDay),
    ...walks(view),
  ].filter((part) => part !== null);
}

function hours(rows) {
  const most = Math.max(LEAST_SCALE_MIN, ...rows.map((row) => row.walking_min));
  return [
    h("h2", {}, "Minutes of walking in each hour"),
    h("div", { class: "bars", "aria-hidden": "true" }, rows.map((row) => bar(row, most))),
    table(
      ["Hour from", "Walking", "Steps", "Speed, SD from walk to walk", "Stance, right minus left", "Coverage"],
      rows.map((row) => [
        moment(row.start_utc_s),
        minutes(row.walking_min),
        number(row.steps),
        number(row.speed),
        number(row.asymmetry),
        percent(row.coverage_pct),
      ]),
    ),
  ];
}

// Height: minutes of walking. Hatched from above: the share of the hour without samples.
function bar(row, most) {
  const walked = h("span", { class: "walked" }, row.walking_min.toFixed(0));
  walked.style.height = `${(80 * row.walking_min) / most}%`;
  const missed = h("span", { class: "missed" });
  missed.style.height = `${100 - row.coverage_pct}%`;
  return h("div", { class: "bar" }, h("span", { class: "column" }, missed, walked), h("small", {}, clock(row.start_utc_s)));
}

function wholeDay(block) {
  const trend = block.metrics.some((row) => row.trend !== null);
  const heads = ["", "Left", "Right", "Right minus left", ...(trend ? ["Change in 8 h at equal speed"] : [])];
  return [
    h("h2", {}, `Day from ${day(block.start_utc_s)}, ${clock(block.start_utc_s)}`),
    h(
      "div",
      { class: "tiles small" },
      tile("Walking", h("span", { class: "number" }, h("b", {}, block.walking))),
      tile("Walks", h("span", { class: "number" }, h("b", {}, count(block.n_walks)))),
      tile("Steps", number(block.steps)),
      tile("Speed", number(block.speed)),
      tile("Coverage", h("span", { class: "number" }, h("b", {}, percent(block.coverage_pct)), h("span", { class: "spread" }, " of 24 h"))),
    ),
    table(heads, block.metrics.map((row) => [
      row.label,
      number(row.left),
      number(row.right),
      number(row.difference),
      ...(trend ? [row.trend ? number(row.trend) : ""] : []),
    ])),
    trend ? h("p", { class: "quiet" }, "A change within one day holds whatever else that day brought: believe it after three days.") : null,
  ].filter((part) => part !== null);
}

function walks(view) {
  if (view.walks.length === 0) return [h("p", { class: "quiet" }, "No walk is over yet.")];
  const more = view.n_walks - view.walks.length;
  return [
    h("h2", {}, "Walks"),
    table(
      ["Began", "Lasted", "Strides", "Speed", "Stride length", "Cadence", "Note"],
      view.walks.map((walk) => [
        moment(walk.start_utc_s),
        walk.lasted,
        count(walk.n_strides),
        ...walk.figures.map(number),
        walk.flags.map((flag) => flag.replaceAll("_", " ")).join(", "),
      ]),
    ),
    more > 0 ? h("p", { class: "quiet" }, `And ${count(more)} earlier ones.`) : null,
  ].filter((part) => part !== null);
}

const tile = (label, value) => h("div", { class: "tile" }, h("span", { class: "label" }, label), value);
const moment = (utcS) => h("span", { class: "moment" }, `${weekday(utcS)} ${clock(utcS)}`);
const minutes = (value) => `${value.toFixed(1)} min`;
const percent = (value) => `${value.toFixed(1)} %`;

const table = (heads, rows) =>
  h("div", { class: "scroll", tabindex: "0" }, h(
    "table",
    {},
    h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows.map(([first, ...rest]) =>
      h("tr", {}, h("th", { scope: "row" }, first), rest.map((cell) => h("td", {}, cell))))),
  ));
