// The view Now: sensors on the body, figures, machine, events.

import { byId, clock, h, light, LIGHTS, number, render, sign, svg } from "./dom.js";

// Where each segment's sensor sits on the drawing.
const PLACES = {
  pelvis: [120, 182],
  right_shank: [101, 318],
  left_shank: [139, 318],
  right_foot: [96, 396],
  left_foot: [144, 396],
};

export function showNow(now) {
  render(byId("edge"), [now.edge, now.subject], () => `${now.edge}${now.subject ? `, ${now.subject}` : ""}`);
  const banner = byId("headline");
  banner.className = `banner ${now.light}`;
  render(banner, now.headline, (text) => text);
  render(byId("markers"), now.sensors, (sensors) => sensors.filter((s) => s.segment).map(marker));
  render(byId("cards"), now.sensors, (sensors) => sensors.map(card));
  showWalking(now.walking);
  render(byId("machine"), now.machine, (lines) => lines.map(line));
  render(byId("alarms"), now.alarms, alarms);
}

function marker(sensor) {
  const [x, y] = PLACES[sensor.segment];
  return svg(
    "g",
    { class: `marker ${sensor.light}`, transform: `translate(${x} ${y})` },
    svg("circle", { r: 15 }),
    svg("text", { y: 6 }, LIGHTS[sensor.light].sign),
  );
}

function card(sensor) {
  const facts = [
    ["Rate", sensor.rate],
    ["Lost", sensor.losses],
    ["Clock", sensor.clock],
    ["Battery", sensor.battery],
  ].filter(([, value]) => value !== null);
  return h(
    "article",
    { class: `card ${sensor.segment ?? "spare"} ${sensor.side ?? "middle"}` },
    h("h3", {}, title(sensor), light(sensor.light, sensor.state)),
    ...sensor.advice.map((sentence) => h("p", { class: "advice" }, sentence)),
    facts.length ? h("dl", {}, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))) : null,
  );
}

function title(sensor) {
  if (sensor.side === null) return h("span", { class: "title" }, sensor.name);
  const rest = sensor.name.slice(sensor.side.length);
  return h("span", { class: "title" }, h("span", { class: `side ${sensor.side}` }, sensor.side), rest);
}

function showWalking(walking) {
  render(byId("walking-text"), walking.text, (text) => text);
  render(byId("tiles"), [walking.figures, walking.state], () => walking.figures.map(tile));
  byId("tiles").classList.toggle("old", walking.state !== "walking");
  render(byId("sides"), walking.sides, sidesTable);
  render(byId("last-walk"), walking.last_walk, (last) => (last === null ? [] : lastWalk(last)));
}

const tile = (figure) =>
  h("div", { class: "tile" }, h("span", { class: "label" }, figure.label), number(figure));

function sidesTable(sides) {
  const names = sides[0].figures.map((figure) => figure.label);
  return [
    h("thead", {}, h("tr", {}, h("td"), sides.map((s) => h("th", { scope: "col" }, h("span", { class: `side ${s.side}` }, s.side))))),
    h("tbody", {}, names.map((name, i) =>
      h("tr", {}, h("th", { scope: "row" }, name), sides.map((s) => h("td", {}, number(s.figures[i])))))),
  ];
}

const lastWalk = (last) => [
  h("h3", {}, "Last walk"),
  h("p", { class: "quiet" }, `${last.text}.`),
  h("div", { class: "tiles small" }, last.figures.map(tile)),
];

const line = (row) =>
  h(
    "li",
    {},
    sign(row.light),
    h("span", { class: "what" }, h("b", {}, row.name), ` ${row.text}`, row.advice ? h("span", { class: "advice" }, row.advice) : null),
  );

const SEVERITY = { info: "none", warning: "look", alarm: "mend" };

function alarms(events) {
  if (events.length === 0) return h("li", { class: "quiet" }, "None.");
  return events.map((event) =>
    h("li", {}, sign(SEVERITY[event.severity]), h("span", { class: "what" }, h("b", {}, clock(event.utc_s, { second: "2-digit" })), ` ${event.text}`)));
}
