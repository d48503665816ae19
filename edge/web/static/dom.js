// Elements made from data. Text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

export const h = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

const shown = new WeakMap();

// Draw only what has changed: a reader's place on the page must not be lost each second.
export function render(element, data, build) {
  const key = JSON.stringify(data);
  if (shown.get(element) === key) return;
  shown.set(element, key);
  element.replaceChildren(...[build(data)].flat());
}

export const clock = (utcS, options = {}) =>
  new Date(utcS * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...options });

export const weekday = (utcS) => new Date(utcS * 1000).toLocaleDateString([], { weekday: "short" });

export const day = (utcS) =>
  new Date(utcS * 1000).toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" });

export const count = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");

// A word stands beside each colour, and a sign that differs in shape.
export const LIGHTS = {
  good: { sign: "✓", word: "good" },
  look: { sign: "!", word: "have a look" },
  mend: { sign: "✕", word: "mend" },
  none: { sign: "–", word: "for information" },
};

export const light = (name, word) =>
  h("span", { class: `light ${name}` }, h("span", { "aria-hidden": "true" }, LIGHTS[name].sign), ` ${word}`);

// For a list: only the sign is seen, the word is there for those who listen.
export const sign = (name) =>
  h("span", { class: `light ${name}`, role: "img", "aria-label": LIGHTS[name].word }, LIGHTS[name].sign);

// A number with its unit and how sure it is, or the reason why there is none.
export function number(figure) {
  if (figure.shown === null) return h("span", { class: "reason" }, figure.reason);
  return h(
    "span",
    { class: "number" },
    h("b", {}, figure.shown),
    figure.unit ? `\u00a0${figure.unit}` : "",
    figure.spread ? h("span", { class: "spread" }, ` ${figure.spread}`) : null,
  );
}
