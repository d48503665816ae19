// Tabs, and the stream of what is new. The page comes back by itself whatever was gone.

import { addStrides, drawCharts, redraw } from "./charts.js";
import { showDay } from "./day.js";
import { byId } from "./dom.js";
import { showNow } from "./now.js";
import { showResults } from "./results.js";

const TABS = ["now", "day", "results"];
const SILENT_MS = 5000;
const AGAIN_MS = 3000;

let heardMs = performance.now();
let stream = null;

function select(name) {
  for (const tab of TABS) {
    const button = byId(`tab-${tab}`);
    button.setAttribute("aria-selected", String(tab === name));
    button.tabIndex = tab === name ? 0 : -1;
    byId(tab).hidden = tab !== name;
  }
  // With the slash it is no place on the page, to which a browser would scroll.
  history.replaceState(null, "", `#/${name}`);
  if (name === "now") redraw();
  if (name === "day") load(showDay);
  if (name === "results") load(showResults);
}

function load(show) {
  show().catch((error) => lost(`This could not be loaded (${error.message}); choose it again in a moment.`));
}

function lost(sentence) {
  const banner = byId("lost");
  banner.textContent = sentence;
  banner.hidden = sentence === "";
  document.body.classList.toggle("stale", sentence !== "");
}

function listen() {
  stream?.close();
  stream = new EventSource("/api/live");
  stream.addEventListener("now", (event) => {
    heardMs = performance.now();
    lost("");
    const now = JSON.parse(event.data);
    showNow(now);
    if (!byId("now").hidden) drawCharts(now.utc_s);
  });
  stream.addEventListener("strides", (event) => addStrides(JSON.parse(event.data)));
}

// A browser gives a stream up for good when the answer is an error: then we begin again.
async function watch() {
  const silentMs = performance.now() - heardMs;
  if (silentMs > SILENT_MS) {
    lost(
      `No news for ${Math.round(silentMs / 1000)} s: what you see is old. Is the Pi on, and this device in its ` +
        "network? The page comes back by itself.",
    );
    if (stream.readyState === EventSource.CLOSED) {
      const answer = await fetch("/api/now").catch(() => null);
      if (answer?.status === 401) location.assign("/pair");
      else listen();
    }
  }
  setTimeout(watch, AGAIN_MS);
}

for (const tab of TABS) {
  byId(`tab-${tab}`).addEventListener("click", () => select(tab));
  byId(`tab-${tab}`).addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length];
    select(next);
    byId(`tab-${next}`).focus();
  });
}
byId("session").addEventListener("change", () => load(showDay));
byId("day-again").addEventListener("click", () => load(showDay));
addEventListener("resize", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
const wanted = location.hash.slice(2);
select(TABS.includes(wanted) ? wanted : "now");
listen();
setTimeout(watch, AGAIN_MS);
