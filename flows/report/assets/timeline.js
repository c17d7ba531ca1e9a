/* A patient's story up to tonight: one lane per kind, opening at today; the table below has the same. */
const FIXED = 132, TOTALS = 118, PER_YEAR = 74, LEAST = 560, MOST = 1500;
const CHARACTER = 5.7;

/* Words stand right or left of their mark where there is room; the table has those that found none. */
const withRoom = (marks, width) => {
  const taken = marks.map((mark) => [mark.x - 5, mark.x + 5, mark]);
  const free = (from, to, own) => from >= 0 && to <= width && taken.every(([a, b, mark]) => mark === own || to < a || from > b);
  for (const mark of [...marks].sort((a, b) => b.x - a.x)) {
    const long = String(mark.words ?? "").length * CHARACTER;
    for (const [from, anchor, shift] of [[mark.x + 7, "start", 7], [mark.x - 7 - long, "end", -7]]) {
      if (!long || mark.anchor || !free(from, from + long, mark)) continue;
      Object.assign(mark, { anchor, shift });
      taken.push([from, from + long, null]);
    }
  }
  return marks;
};
const told = (marks, width, y) => withRoom(marks, width).map((mark) => [
  mark.drawn, mark.anchor && write(mark.x + mark.shift, y + 4, mark.words, { "text-anchor": mark.anchor, class: mark.style || "" }),
]);

const diamond = (x, y, style) => shape("path", { class: style, d: `M${round(x)} ${y - 4.5}l4.5 4.5l-4.5 4.5l-4.5 -4.5z` });
const wedge = (x, y, style) => shape("path", { class: style, d: `M${round(x)} ${y - 5}l5 9h-10z` });
const isPd = (row) => /\bPD\b/.test(row.words || "");
const isProgression = (row) => row.kind === "event" && /progression/.test(row.words || "");
const uncounted = (row) => row.counts === false;

const tgLane = (events, x, width) => {
  const values = positiveTg(events);
  if (!values.length) return null;
  const logs = values.map((row) => Math.log10(row.value));
  const low = Math.floor(Math.min(...logs)), high = Math.max(Math.ceil(Math.max(...logs)), low + 1);
  const tenfold = Math.max(18, Math.min(46, 120 / (high - low)));
  const height = (high - low) * tenfold + 26;
  const y = (log) => 14 + (high - log) * tenfold;
  const powers = Array.from({ length: high - low + 1 }, (_, step) => low + step);
  const parts = powers.map((power) => path([[0, y(power)], [width, y(power)]], "grid"));
  for (const like of likeWithLike(values)) if (like.length > 1) parts.push(path(like.map((row) => [x(row.date), y(Math.log10(row.value))]), like[0].stimulated === "yes" ? "line strong" : "line"));
  const taken = [];
  values.map((row, index) => ({ row, x: x(row.date), y: y(logs[index]) })).reverse().forEach((mark, index) => {
    parts.push(...tgMark(mark.x, mark.y, mark.row, 3.2));
    const words = measured(mark.row), half = (words.length * CHARACTER) / 2;
    const above = mark.row.stimulated === "yes" || index === 0;
    const box = [mark.x - half - 2, mark.x + half + 2, mark.y + (above ? -9 : 15)];
    if (taken.some(([a, b, at]) => a < box[1] && b > box[0] && Math.abs(at - box[2]) < 11)) return;
    taken.push(box);
    parts.push(write(Math.min(Math.max(mark.x, half), width - half), box[2], words, { "text-anchor": "middle", class: index === 0 ? "bold" : "" }));
  });
  const names = [write(0, 14, "Tg", { class: "bold" }), write(0, 27, "ng/mL, log", { class: "quiet tiny" }), ...powers.map((power) => write(FIXED - 8, y(power) + 4, short(10 ** power), { "text-anchor": "end", class: "quiet tiny" }))];
  return { height, parts, names };
};

const lane = (name, unit, marks, width, totals = []) => marks.length && {
  height: 21,
  names: [write(0, 15, name, { class: "bold" }), unit && write(FIXED - 8, 15, unit, { "text-anchor": "end", class: "quiet tiny" })],
  parts: [...told(marks, width, 11), ...totals.map((words, at) => write(width + 10, 15 + at * 12, words, { class: at ? "quiet" : "bold" }))],
};

const UPTAKE_WORDS = { all: "all took up", some: "some took up", none: "none took up", not_assessed: "not assessed" };
const courseLane = (courses, x, width) => {
  if (!courses.length) return null;
  const tall = (row) => Math.min(20, Math.max(4, (row.value || 60) / 12));
  const marks = courses.map((row) => ({
    x: x(row.date), words: [row.value ? short(row.value) : "activity unknown", row.course && `${row.course}:`, UPTAKE_WORDS[row.uptake] || "not read"].filter(Boolean).join(" "),
    drawn: shape("rect", { class: { all: "full", some: "mid", none: "open" }[row.uptake] || "open dash", x: round(x(row.date) - 3.5), y: 24 - tall(row), width: 7, height: tall(row) }),
  }));
  const total = courses.at(-1).cumulative_mci;
  const words = [total ? `${short(total)}\u00a0mCi in all` : "total unknown", `${courses.length} ${courses.length === 1 ? "course" : "courses"}`];
  return { ...lane("\u00b9\u00b3\u00b9I", "mCi", marks, width, words), height: 31 };
};

const lanesOf = (events, reviews, risk, x, width) => {
  const of = (...kinds) => events.filter((row) => kinds.includes(row.kind));
  const plain = (rows, words, drawn) => rows.map((row) => ({ x: x(row.date), words: words(row), drawn: drawn(row), style: isPd(row) || isProgression(row) ? "red" : uncounted(row) ? "quiet" : "" }));
  const tg = tgLane(events, x, width);
  if (tg && risk.tg_doubling_months) tg.parts.push(write(width + 10, 20, "doubles every", { class: "quiet" }), write(width + 10, 33, `${short(risk.tg_doubling_months)} months`, { class: "bold" }), write(width + 10, 46, `${risk.tg_slope_n} values, no TgAb`, { class: "quiet" }));
  const ct = [...of("ct"), ...of("recist")].sort((a, b) => (a.date < b.date ? -1 : 1));
  const sizes = (row) => (row.kind === "recist" ? (row.words || "").replace(/^RECIST | on CT$/g, "") : row.value ? `${short(row.value)} ${row.unit || "cm"}` : "");
  const last = ct.filter((row) => row.kind === "recist").at(-1);
  const reviewed = reviews.length ? reviews.map((row) => ({ date: row.reviewed_at, words: row.decision })) : of("review");
  return [
    tg,
    lane("TSH", "mIU/L", plain(of("tsh"), (row) => (row.value === null ? "" : measured(row)), (row) => dot(x(row.date), 11, 1.8, row.value >= 30 ? "full" : "soft")).map((mark, at) => ({ ...mark, style: of("tsh")[at].value >= 30 ? "bold" : "" })), width),
    lane("TgAb", "IU/mL", plain(of("tgab"), (row) => (row.value === null ? "" : measured(row)), (row) => dot(x(row.date), 11, 1.8, "soft")), width),
    courseLane(of("131I"), x, width),
    lane("FDG PET", "SUVmax", plain(of("PET/CT"), (row) => `${row.value ? short(row.value) : said(row.words)}${uncounted(row) ? ": does not count" : ""}`, (row) => dot(x(row.date), 11, 4, uncounted(row) ? "open dash" : "full")), width),
    lane("CT", "RECIST, nodule", plain(ct, sizes, (row) => diamond(x(row.date), 11, isPd(row) ? "red" : uncounted(row) ? "open dash" : "full")), width, last ? [`${sizes(last)}, ${month(last.date)}`] : []),
    lane("Lesions", "", plain(of("metastasis"), (row) => said(row.words), (row) => dot(x(row.date), 11, 3.2, "full")), width),
    lane("Surgery, events", "", plain(of("diagnosis", "surgery", "event", "death"), (row) => said(row.words), (row) => wedge(x(row.date), 11, isProgression(row) ? "red" : row.kind === "diagnosis" ? "open" : "full")), width),
    lane("Reviews", "", plain(reviewed, (row) => said(row.words), (row) => path([[x(row.date) - 4, 11], [x(row.date) - 1, 15], [x(row.date) + 4, 6]], "ink")), width),
  ].filter(Boolean);
};

const yearLines = (first, x, width, height) => {
  const parts = [];
  let lastAt = -99;
  for (let year = new Date(first).getUTCFullYear() + 1; year <= Number(NIGHT.slice(0, 4)); year += 1) {
    const place = x(`${year}-01-01`);
    parts.push(path([[place, 0], [place, height]], "grid"));
    if (place - lastAt > 34 && width - place > 106) { parts.push(write(place + 2, height + 13, year, { class: "quiet" })); lastAt = place; }
  }
  parts.push(path([[width, 0], [width, height]], "axis"), write(width, height + 13, day(NIGHT), { "text-anchor": "end", class: "bold" }));
  return parts;
};

const timeline = (events, reviews, risk) => {
  const dated = events.filter((row) => row.date && row.date <= NIGHT);
  if (!dated.length) return [element("p", { class: "small" }, "No dated events.")];
  const first = Math.min(...dated.map((row) => at(row.date)), at(NIGHT) - 365 * DAY);
  const span = Math.max(at(NIGHT) - first, DAY);
  const there = $("patient").clientWidth - FIXED - TOTALS - 44;
  const width = Math.round(Math.min(MOST, Math.max(LEAST, there, (span / DAY / 365) * PER_YEAR)));
  const x = (iso) => 6 + ((at(iso) - first) / span) * (width - 6);
  const lanes = lanesOf(dated, reviews, risk, x, width);
  const height = lanes.reduce((sum, one) => sum + one.height, 0);
  let y = 0;
  const [names, plots] = [[], []];
  for (const one of lanes) {
    names.push(shape("g", { transform: `translate(0 ${y})` }, one.names));
    plots.push(shape("g", { transform: `translate(0 ${y})` }, one.parts), path([[0, y + one.height], [width, y + one.height]], "grid"));
    y += one.height;
  }
  const recent = x(new Date(at(NIGHT) - 90 * DAY).toISOString().slice(0, 10));
  const back = shape("rect", { class: "band", x: round(recent), y: 0, width: round(width - recent), height });
  return [
    element("div", { class: "line-of-time", tabindex: 0, role: "region", "aria-label": "Timeline; the table has the same" },
      drawing(FIXED, height + 18, "", ...names), drawing(width + TOTALS, height + 18, `From ${day(new Date(first).toISOString().slice(0, 10))} to tonight: ${dated.length} events, in the table below.`, back, ...yearLines(first, x, width, height), ...plots)),
    element("p", { class: "key" }, sample("stimulated", dot(6, 6, 3, "full")), sample("suppressed; only like is joined with like", dot(6, 6, 3, "open")), sample("on file, does not count", dot(6, 6, 4, "open dash")), element("span", {}, "bold TSH: 30 or more"), element("span", {}, "band: last 90 days")),
    element("details", { class: "no-print" }, element("summary", {}, "The same as a table"), asTable(dated)),
  ];
};
const KINDS = { tsh: "TSH", tgab: "TgAb", ct: "CT", recist: "RECIST" };
const asTable = (events) => table("Events up to tonight", ["Day", "What", "Value", "Counts", "From"], [...events].reverse().map((row) => ({
  cells: [row.date, `${KINDS[row.kind] || row.kind}${row.words && row.words !== KINDS[row.kind] ? `: ${said(row.words)}` : ""}`, row.value === null || row.value === undefined ? "" : `${measured(row)} ${row.unit || ""}`,
    uncounted(row) ? `no: ${inWords(row.not_counted_reason)}` : "", sourceOf(row.source_table, row.source_row)],
})));
