// Keeps the page up to date: the server sends the parts that changed, as HTML in which everything
// that came from data is escaped. Charts are drawn from the tables, so they show the same numbers.
"use strict";

const connection = document.getElementById("connection");
const charts = new Map();

function color(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
function palette(index) { return color("--c" + (index % 8 + 1)); }
function value(cell) { return Number(cell.dataset.value); }
function short(number) {
  return Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(number);
}

// What a chart of this kind makes of a table: its labels, its series, and where a click leads.
function read(table, kind) {
  const rows = [...table.tBodies[0].rows];
  const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
  const links = rows.map((row) => row.querySelector("a")?.href);
  const labels = rows.map((row) => row.cells[0].textContent);
  const columns = kind === "stacked" ? heads.map((_, i) => i).filter((i) => heads[i] !== "total") : [heads.indexOf("revenue")];
  const series = columns.map((column) => ({ name: heads[column], data: rows.map((row) => value(row.cells[column + 1])) }));
  if (kind === "stacked") {
    for (const list of [labels, links, ...series.map((one) => one.data)]) list.reverse();
  }
  return { labels, links, series };
}

function options(kind, links, many) {
  const scale = { grid: { color: color("--line") }, ticks: { color: color("--soft") } };
  const money = { ...scale, beginAtZero: true, ticks: { ...scale.ticks, callback: short } };
  const flat = kind === "hbar";
  return {
    animation: false, responsive: true, maintainAspectRatio: false, indexAxis: flat ? "y" : "x",
    // A row is met anywhere, not only where its bar is.
    interaction: { mode: "index", axis: flat ? "y" : "x", intersect: false },
    plugins: { legend: { display: many, labels: { color: color("--ink"), boxWidth: 12 } } },
    scales: {
      x: flat ? money : { ...scale, stacked: true },
      y: flat ? { ...scale, ticks: { ...scale.ticks, autoSkip: false } } : { ...money, stacked: true },
    },
    onClick: (_, hits) => { if (hits.length && links[hits[0].index]) location.href = links[hits[0].index]; },
    onHover: (event, hits) => { event.native.target.style.cursor = hits.length && links[hits[0].index] ? "pointer" : ""; },
  };
}

function draw(place) {
  const table = document.getElementById(place.dataset.table);
  if (!window.Chart || !table) return;
  const kind = place.dataset.chart;
  const { labels, links, series } = read(table, kind);
  const datasets = series.map((one, index) => ({ label: one.name, data: one.data, backgroundColor: one.name === "(none)" ? color("--raw") : palette(index), maxBarThickness: 48 }));
  place.hidden = false;
  if (kind === "hbar") place.style.height = `${labels.length * 1.4 + 3}rem`;
  let chart = charts.get(place);
  if (!chart) {
    chart = new Chart(place.querySelector("canvas"), { type: "bar", data: { labels, datasets } });
    charts.set(place, chart);
    const details = table.closest("details");
    if (!details.dataset.kept) details.open = false;
  }
  chart.data = { labels, datasets };
  chart.options = options(kind, links, series.length > 1);
  chart.update("none");
}

function drawAll() { document.querySelectorAll("[data-chart]").forEach(draw); }

// Puts a new part in its place; what a person has opened, focused or scrolled to stays so.
function swap(place, html) {
  const open = new Map([...place.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
  const scrolled = [...place.querySelectorAll(".scroll")].map((one) => [one.scrollTop, one.scrollLeft]);
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  const id = focused?.id;
  const which = focused ? [...place.querySelectorAll("summary, .scroll")].indexOf(focused) : -1;
  place.innerHTML = html;
  for (const one of place.querySelectorAll("details[id]")) {
    if (open.has(one.id)) { one.open = open.get(one.id); one.dataset.kept = ""; }
  }
  place.querySelectorAll(".scroll").forEach((one, i) => { if (scrolled[i]) [one.scrollTop, one.scrollLeft] = scrolled[i]; });
  if (id) document.getElementById(id)?.focus({ preventScroll: true });
  else if (which >= 0) place.querySelectorAll("summary, .scroll")[which]?.focus({ preventScroll: true });
  document.querySelectorAll("[data-chart]").forEach((chart) => { if (place.querySelector("#" + chart.dataset.table)) draw(chart); });
}

function tell(text, lost) {
  if (connection.textContent !== text) connection.textContent = text;
  connection.classList.toggle("lost", lost);
}

let source, silence, again;

function connect() {
  clearTimeout(again);
  source?.close();
  source = new EventSource("/events" + (document.body.dataset.query ? "?" + document.body.dataset.query : ""));
  source.addEventListener("update", (event) => {
    tell("Live", false);
    listen();
    for (const [name, html] of Object.entries(JSON.parse(event.data))) {
      const place = document.querySelector(`[data-live="${name}"]`);
      if (place) swap(place, html);
    }
  });
  source.addEventListener("error", lose);
  listen();
}

// A connection that broke without a word looks like one on which nothing happens; but each second
// something does.
function listen() {
  clearTimeout(silence);
  silence = setTimeout(lose, 10000);
}

function lose() {
  tell("Not connected: the numbers are those of the last moment; trying again.", true);
  clearTimeout(silence);
  clearTimeout(again);
  source?.close();
  again = setTimeout(connect, 1000);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
addEventListener("pagehide", () => source?.close());
drawAll();
connect();
