"use strict";
(() => {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const $ = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";

  const element = (name, attributes, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const shape = (name, attributes, text) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const picture = (width, height, label) => shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const line = (x1, y1, x2, y2, more) => shape("line", { x1, y1, x2, y2, stroke: "#111", "stroke-width": 1.2, ...more });
  const words = (x, y, text, more) => shape("text", { x, y, "font-size": 12, ...more }, text);

  /* ---- the list: search, filters, sorting ---- */
  const body = document.querySelector("#list tbody");
  const rows = [...body.querySelectorAll("tr[data-priority]")];
  const filter = () => {
    const wanted = $("search").value.trim().toLowerCase();
    const [priority, flag, fresh] = ["priority", "flag", "new"].map((id) => $(id).value);
    let count = 0;
    for (const row of rows) {
      const shown = (!wanted || row.textContent.toLowerCase().includes(wanted)) && (!priority || row.dataset.priority === priority) &&
        (!flag || row.dataset.flag === flag) && (!fresh || row.dataset.new.split(" ").includes(fresh));
      row.hidden = !shown;
      count += shown;
    }
    $("found").textContent = `${count} of ${rows.length} patients shown`;
  };
  for (const id of ["search", "priority", "flag", "new"]) $(id).addEventListener("input", filter);
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  filter();
  const compare = (a, b) => {
    const [x, y] = [parseFloat(a), parseFloat(b)];
    return Number.isNaN(x) || Number.isNaN(y) || /^\d{4}-/.test(a) ? a.localeCompare(b) : x - y;
  };
  document.querySelectorAll("#list thead th").forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      document.querySelectorAll("#list thead th").forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const text = (row) => row.cells[column].textContent.trim();
      rows.sort((a, b) => (up ? 1 : -1) * compare(text(a), text(b)));
      body.append(...rows);
    });
  });

  /* ---- one patient ---- */
  const table = (caption, head, lines) => {
    const made = element("table", {}, element("caption", {}, caption));
    made.append(element("thead", {}, element("tr", {}, ...head.map((name) => element("th", { scope: "col" }, name)))));
    made.append(element("tbody", {}, ...lines.map((cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell ?? ""))))));
    return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, made);
  };

  const nomogram = (layout, model) => {
    const left = 330, width = 620, step = 46, gap = 18;
    const height = layout.axes.length * step + gap + 30;
    const svg = picture(left + width + 40, height, `${layout.title}: nomogram with this patient. Diamond: known value; bar: range of a missing one.`);
    layout.axes.forEach((axis, row) => {
      const y = 30 + row * step + (row >= layout.total ? gap : 0);
      const x = (at) => left + at * width;
      const places = axis.ticks.map((tick) => tick[0]);
      svg.append(words(left - 14, y + 4, axis.label, { "text-anchor": "end", "font-weight": 600 }));
      svg.append(line(x(Math.min(...places)), y, x(Math.max(...places)), y));
      for (const [at, label, above] of axis.ticks) {
        svg.append(line(x(at), y, x(at), y + (above ? -5 : 5)));
        svg.append(words(x(at), y + (above ? -8 : 18), label, { "text-anchor": "middle", "font-size": 11 }));
      }
      if (row === layout.total && layout.cutoff !== null) {
        svg.append(line(x(layout.cutoff), y - 20, x(layout.cutoff), y, { "stroke-dasharray": "4 3", "stroke-width": 1.6 }));
        svg.append(words(x(layout.cutoff), y - 23, layout.cutoffLabel, { "text-anchor": "middle", "font-size": 11 }));
      }
      const mark = model.marks[row];
      if (!mark) return;
      const [from, to] = mark.map(x);
      if (Math.abs(from - to) < 0.5) svg.append(shape("path", { d: `M${from} ${y - 8}l7 8l-7 8l-7 -8z`, fill: "#111" }));
      else svg.append(line(from, y, to, y, { "stroke-width": 9, stroke: "#767676", opacity: 0.6 }));
    });
    return element("div", { class: "drawing" }, svg);
  };

  const LANES = ["surgery", "131I", "Tg", "PET/CT", "metastasis", "event", "review", "death"];
  const timeline = (events) => {
    const dated = events.filter((event) => LANES.includes(event[1]));
    if (!dated.length) return element("p", {}, "No dated events.");
    const left = 110, width = 740, top = 20, lane = 32, tgHeight = 130;
    const times = dated.map((event) => Date.parse(event[0]));
    const [first, last] = [Math.min(...times), Math.max(...times)];
    const span = Math.max(last - first, 30 * 864e5);
    const x = (date) => left + ((Date.parse(date) - first) / span) * width;
    const lanes = LANES.filter((kind) => dated.some((event) => event[1] === kind));
    const tall = lanes.reduce((sum, kind) => sum + (kind === "Tg" ? tgHeight : lane), 0);
    const svg = picture(left + width + 60, top + tall + 40, "Timeline of this patient; the table below has the same events.");
    let y = top;
    for (const kind of lanes) {
      const height = kind === "Tg" ? tgHeight : lane;
      const mine = dated.filter((event) => event[1] === kind);
      svg.append(words(left - 10, y + height / 2 + 4, kind === "Tg" ? "Tg, ng/mL (log)" : kind, { "text-anchor": "end" }));
      svg.append(line(left, y + height, left + width, y + height, { stroke: "#d9d9d9" }));
      if (kind === "Tg") {
        const values = mine.filter((event) => event[3] !== null);
        const logs = values.map((event) => Math.log10(Math.max(event[3], 0.1)));
        const [low, high] = [Math.floor(Math.min(...logs, 0)), Math.max(Math.ceil(Math.max(...logs, 1)), 1)];
        const at = (value) => y + height - 8 - ((Math.log10(Math.max(value, 0.1)) - low) / (high - low)) * (height - 20);
        for (let power = low; power <= high; power += 1) {
          svg.append(line(left, at(10 ** power), left + width, at(10 ** power), { stroke: "#eee" }));
          svg.append(words(left + width + 6, at(10 ** power) + 4, String(Number((10 ** power).toPrecision(1))), { "font-size": 11 }));
        }
        svg.append(shape("polyline", { points: values.map((event) => `${x(event[0])},${at(event[3])}`).join(" "), fill: "none", stroke: "#767676" }));
        for (const event of values) {
          const stimulated = event[2].includes("stimulated: yes");
          const dot = shape("circle", { cx: x(event[0]), cy: at(event[3]), r: 4.5, fill: stimulated ? "#111" : "#fff", stroke: "#111" });
          dot.append(shape("title", {}, `${event[0]} ${event[3]} ng/mL, ${event[2]}`));
          svg.append(dot);
        }
      } else {
        const labels = [];
        for (const event of mine) {
          const mark = shape("path", { d: `M${x(event[0])} ${y + 8}v14`, stroke: "#111", "stroke-width": kind === "death" ? 6 : 3 });
          mark.append(shape("title", {}, event.slice(0, 4).join(" ")));
          svg.append(mark);
          const said = { "131I": () => `${Math.round(event[3] ?? 0)} mCi, ${event[2].replace("uptake: ", "")}`, "PET/CT": () => `SUVmax ${event[3] ?? "?"}` }[kind];
          const text = said ? said() : event[2];
          const before = labels.at(-1);
          // Words that would print over each other share a place.
          if (before && x(event[0]) < before.at + before.text.length * 6) Object.assign(before, { text: `${before.text}; ${text}`, at: x(event[0]) });
          else labels.push({ at: x(event[0]), text });
        }
        for (const label of labels) {
          const late = label.at > left + width * 0.7;
          svg.append(words(label.at + (late ? -5 : 7), y + 20, label.text, { "font-size": 10, "text-anchor": late ? "end" : "start" }));
        }
      }
      y += height;
    }
    const years = new Date(last).getUTCFullYear() - new Date(first).getUTCFullYear();
    for (let year = new Date(first).getUTCFullYear(); year <= new Date(last).getUTCFullYear() + 1; year += Math.max(1, Math.ceil(years / 10))) {
      const place = x(`${year}-01-01`);
      if (place >= left && place <= left + width) {
        svg.append(line(place, top, place, y, { stroke: "#d9d9d9", "stroke-dasharray": "2 4" }));
        svg.append(words(place, y + 16, year, { "text-anchor": "middle" }));
      }
    }
    svg.append(words(left, y + 32, "Tg: filled circle stimulated, open circle not or unknown.", { "font-size": 11 }));
    return element("div", { class: "drawing" }, svg);
  };

  const contributions = (model) => {
    const known = model.predictors.filter((predictor) => predictor[2] !== null);
    const most = Math.max(...known.map((predictor) => predictor[2]), 1);
    const svg = picture(880, known.length * 24 + 6, "Points that each known predictor contributes; the table has the numbers.");
    known.forEach(([label, , points], row) => {
      svg.append(words(300, row * 24 + 17, label, { "text-anchor": "end" }));
      svg.append(shape("rect", { x: 310, y: row * 24 + 5, width: Math.max((points / most) * 420, 1), height: 16, fill: "#767676" }));
      svg.append(words(316 + (points / most) * 420, row * 24 + 17, points));
    });
    return element("div", { class: "drawing" }, svg);
  };

  const show = (index) => {
    const patient = data.patients[index];
    const panel = $("panel");
    const close = element("button", { type: "button", id: "close" }, "Close");
    const paper = element("button", { type: "button" }, "Print this patient");
    const facts = element("dl", {}, ...patient.facts.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
    panel.replaceChildren(element("h3", {}, `Patient ${patient.id}`), close, " ", paper, facts, element("h4", {}, "Timeline"), timeline(patient.events));
    patient.models.forEach((model, number) => {
      const layout = data.layouts[number];
      panel.append(element("h4", {}, `${layout.title}${model.risk ? `: ${model.risk.replace("_", " ")}` : ""}`));
      if (model.notes) panel.append(element("p", { class: "small" }, model.notes));
      if (!model.marks) return;
      panel.append(nomogram(layout, model), contributions(model));
      panel.append(table(`${layout.title}: predictors and where they come from`, ["predictor", "value", "points", "table", "source row", "date"], model.predictors));
      panel.append(element("p", {}, ...model.results.flatMap(([name, text]) => [`${name}: ${text}. `])));
      panel.append(element("p", { class: "small" }, `Status: ${model.status}. Of the prediction, ${layout.inferred}; the bounds include its interval.`));
    });
    panel.append(table("Events", ["date", "kind", "what", "value", "table", "source row"], patient.events));
    panel.hidden = false;
    document.querySelectorAll("tr.chosen").forEach((row) => row.classList.remove("chosen"));
    const opener = document.querySelector(`button.patient[data-index="${index}"]`);
    opener.closest("tr").classList.add("chosen");
    const shut = () => { panel.hidden = true; opener.focus(); };
    close.addEventListener("click", shut);
    panel.onkeydown = (event) => { if (event.key === "Escape") shut(); };
    paper.addEventListener("click", () => { document.body.classList.add("only-patient"); window.print(); document.body.classList.remove("only-patient"); });
    panel.focus();
    panel.scrollIntoView({ block: "start" });
  };
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button.patient");
    if (button) show(Number(button.dataset.index));
  });
  $("print").addEventListener("click", () => window.print());
})();
