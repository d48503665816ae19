// The view Results: leg length and comparisons, in words.

import { byId, clock, day, h, number } from "./dom.js";

export async function showResults() {
  const answer = await fetch("/api/results");
  if (!answer.ok) throw new Error(`the results: ${answer.status}`);
  const view = await answer.json();
  byId("results-content").replaceChildren(
    h("h2", {}, "Leg length"),
    ...some(view.leg_lengths.map(legLength), "No protocol has been walked yet: evenstride session protocol leg-length."),
    h("h2", {}, "Before and after"),
    ...some(view.comparisons.map(comparison), "No conditions have been compared yet: evenstride compare FILE FILE --publish CONFIG."),
  );
}

const some = (parts, none) => (parts.length ? parts : [h("p", { class: "quiet" }, none)]);

const when = (result) =>
  h("p", { class: "quiet" }, `${day(result.utc_s)}, ${clock(result.utc_s)}${result.subject ? `, ${result.subject}` : ""}`);

const legLength = (result) =>
  h(
    "article",
    { class: "card" },
    when(result),
    h("p", { class: "sentence" }, result.sentence),
    h("dl", { class: "rows" }, result.rows.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    h("p", { class: "quiet" }, "Of hips, legs, feet and shoes together, while standing; not of bones, and no diagnosis."),
  );

const comparison = (result) =>
  h(
    "article",
    { class: "card" },
    when(result),
    h("h3", {}, result.title),
    h("p", { class: "sentence" }, result.verdict),
    result.effects.length ? effects(result.effects) : null,
    result.withheld.length
      ? h("details", {}, h("summary", {}, "Withheld"), h("ul", {}, result.withheld.map(([name, why]) => h("li", {}, `${name}: ${why}`))))
      : null,
    h("p", { class: "quiet" }, result.basis),
  );

const effects = (rows) =>
  h("div", { class: "scroll", tabindex: "0" }, h(
    "table",
    {},
    h("thead", {}, h("tr", {}, ["", "Before", "After", "Change", "Beyond chance"].map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, rows.map((row) =>
      h("tr", {}, h("th", { scope: "row" }, row.label), h("td", {}, row.before), h("td", {}, row.after), h("td", {}, number(row.change)), h("td", {}, row.sure ? "yes" : "no")))),
  ));
