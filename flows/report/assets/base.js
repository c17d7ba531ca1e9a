"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const NIGHT = DATA.night;
const DAY = 864e5;
const CLOSES_SOON = 7;
const $ = (id) => document.getElementById(id);

/* ---- what the page carries, as objects ---- */
const asObject = (columns, row) => Object.fromEntries(columns.map((name, at) => [name, row ? row[at] : null]));
const one = (packed, index) => (packed ? asObject(packed.columns, packed.rows[index]) : {});
const many = (packed, index) => (packed && packed.rows[index] ? packed.rows[index].map((row) => asObject(packed.columns, row)) : []);
const CARDS = DATA.cards.rows.map((row, index) => ({ ...asObject(DATA.cards.columns, row), index }));
const IN_FULL = DATA.panels.risk ? DATA.panels.risk.rows.length : 0;

/* ---- elements: text is text, never markup ---- */
const fill = (made, attributes, children) => {
  for (const [key, value] of Object.entries(attributes || {})) if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  made.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return made;
};
const element = (name, attributes, ...children) => fill(document.createElement(name), attributes, children);
const shape = (name, attributes, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
const drawing = (width, height, label, ...parts) =>
  shape("svg", { viewBox: `0 0 ${width} ${height}`, width, height, ...(label ? { role: "img", "aria-label": label } : { "aria-hidden": "true" }) }, ...parts);
const round = (x) => Math.round(x * 10) / 10;
const path = (points, style) => shape("path", { class: style, d: points.map(([x, y], at) => `${at ? "L" : "M"}${round(x)} ${round(y)}`).join("") });
const write = (x, y, text, more) => shape("text", { x: round(x), y: round(y), ...more }, String(text));
const dot = (x, y, r, style) => shape("circle", { class: style, cx: round(x), cy: round(y), r });
const table = (caption, heads, rows, more = {}) =>
  element("table", { class: "stack", ...more },
    element("caption", { class: "unseen" }, caption),
    element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, rows.map(({ cells, hit }) => element("tr", { class: hit ? "hit" : null },
      cells.map((cell, at) => (at ? element("td", { "data-l": heads[at] }, cell) : element("th", { scope: "row" }, cell)))))));

/* ---- days and numbers in words ---- */
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const at = (iso) => Date.parse(`${iso}T00:00:00Z`);
const daysFrom = (from, to) => Math.round((at(to) - at(from)) / DAY);
const day = (iso) => `${Number(iso.slice(8, 10))}\u00a0${MONTHS[Number(iso.slice(5, 7)) - 1]} ${iso.slice(0, 4)}`;
const dayThisYear = (iso) => (iso.slice(0, 4) === NIGHT.slice(0, 4) ? day(iso).slice(0, -5) : day(iso));
const weekday = (iso) => `${WEEKDAYS[new Date(at(iso)).getUTCDay()]} ${dayThisYear(iso)}`;
const month = (iso) => `${MONTHS[Number(iso.slice(5, 7)) - 1].slice(0, 3)} ${iso.slice(2, 4)}`;
const inWords = (text) => String(text ?? "").replace(/\b\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b/g, day).replaceAll("131I", "\u00b9\u00b3\u00b9I");
const sentence = (text) => {
  const words = inWords(text);
  return words && `${words[0].toUpperCase()}${words.slice(1)}${words.endsWith(".") ? "" : "."}`;
};
const short = (value) => (Math.abs(value) >= 1000 ? String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f") : String(Number(value.toPrecision(value >= 100 ? 3 : 2))));
const percent = (share) => `${share > 0.99 && share < 1 ? "over 99" : share < 0.01 && share > 0 ? "under 1" : Math.round(share * 100)}\u202f%`;
const measured = (row) => `${row.comparator && row.comparator !== "=" ? `${row.comparator}\u00a0` : ""}${short(row.value)}`;
const said = (code) => String(code ?? "").replaceAll("_", " ");
const listed = (words) => (words.length > 1 ? `${words.slice(0, -1).join(", ")} and ${words.at(-1)}` : words.join(""));
const SEX = { female: "woman", male: "man" };
const OUTCOME = { rrdtc: "RR-DTC", os: "OS", pfs: "PFS" };
const decided = (models) => {
  const names = typeof models === "string" ? models.split("; ") : models || [];
  const outcomes = DATA.models.filter((model) => names.includes(model.name)).map((model) => OUTCOME[model.outcome]);
  return outcomes.length ? `decides ${listed([...new Set(outcomes)])}` : "";
};
const RISK = { high: "high", low: "low", indeterminate: "undecided", not_applicable: "not applicable" };
const sourceOf = (name, row) => (row ? element("code", {}, `${name} ${row}`) : "");
