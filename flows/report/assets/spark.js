/* The small line of a card: three years of Tg, and the courses under it. The same pixels per tenfold in every card. */
const SPARK = { years: 3, width: 104, top: 4, bottom: 27, courses: 35, tenfold: 9 };

const courseMark = (x, y, half, uptake) => {
  const square = (style) => shape("rect", { class: style, x: round(x - half), y: y - half, width: 2 * half, height: 2 * half });
  if (uptake === "all") return [square("full")];
  if (uptake === "some") return [square("open"), shape("rect", { class: "full", x: round(x - half), y: y - half, width: half, height: 2 * half })];
  return [square(uptake === "none" ? "open" : "open dash")];
};
const tgMark = (x, y, row, size) => {
  const parts = [];
  if (row.comparator && "<=".includes(row.comparator[0]) && row.comparator !== "=") parts.push(path([[x, y], [x, y + 7]], "ink"));
  if (row.comparator && row.comparator[0] === ">") parts.push(path([[x, y], [x, y - 7]], "ink"));
  if (row.tgab_positive) parts.push(path([[x - size, y - size], [x + size, y + size]], "ink"), path([[x - size, y + size], [x + size, y - size]], "ink"));
  else parts.push(dot(x, y, size, row.stimulated === "yes" ? "full" : "open"));
  return parts;
};
const positiveTg = (events) => events.filter((row) => row.kind === "Tg" && row.value > 0 && row.date <= NIGHT);
const likeWithLike = (values) => ["yes", "other"].map((kind) => values.filter((row) => (row.stimulated === "yes") === (kind === "yes")));

const spark = (events) => {
  const start = at(NIGHT) - SPARK.years * 365.25 * DAY;
  const x = (iso) => 3 + ((at(iso) - start) / (at(NIGHT) - start)) * (SPARK.width - 6);
  const values = positiveTg(events).filter((row) => at(row.date) >= start);
  const courses = events.filter((row) => row.kind === "131I" && row.date <= NIGHT);
  const shown = courses.filter((row) => at(row.date) >= start);
  if (!values.length && !courses.length) return null;
  const parts = [];
  if (values.length) {
    const logs = values.map((row) => Math.log10(row.value));
    const middle = (SPARK.top + SPARK.bottom) / 2;
    const last = logs.at(-1);
    let centre = (Math.min(...logs) + Math.max(...logs)) / 2;
    const room = (SPARK.bottom - SPARK.top) / 2 / SPARK.tenfold;
    centre = Math.min(Math.max(centre, last - room), last + room);
    const y = (log) => middle - (log - centre) * SPARK.tenfold;
    for (let power = Math.floor(centre - room); power <= Math.ceil(centre + room); power += 1) {
      if (y(power) >= 0 && y(power) <= SPARK.bottom + 3) parts.push(path([[0, y(power)], [SPARK.width, y(power)]], "grid"));
    }
    for (const like of likeWithLike(values)) if (like.length > 1) parts.push(path(like.map((row) => [x(row.date), y(Math.log10(row.value))]), like[0].stimulated === "yes" ? "line strong" : "line"));
    values.forEach((row, index) => parts.push(...tgMark(x(row.date), y(logs[index]), row, 2)));
    parts.push(write(SPARK.width + 5, 19, measured(values.at(-1)), { class: "bold" }), write(SPARK.width + 5, 38, month(values.at(-1).date), { class: "quiet tiny" }));
  }
  parts.push(path([[SPARK.width, 1], [SPARK.width, 39]], "grid"));
  if (courses.length > shown.length) parts.push(write(0, 39, `\u2039${courses.length - shown.length}`, { class: "quiet tiny" }));
  for (const row of shown) parts.push(...courseMark(x(row.date), SPARK.courses, 3.2, row.uptake));
  const tell = values.length ? `Tg ${measured(values.at(-1))} in ${month(values.at(-1).date)}, ${values.length} values in three years` : "no Tg in three years";
  return drawing(146, 40, `${tell}; ${courses.length} ${courses.length === 1 ? "course" : "courses"} of 131I, ${shown.length} of them in these years.`, ...parts);
};

const sample = (label, ...parts) => element("span", {}, drawing(12, 12, "", ...parts), label);
const sparkKey = () => [
  element("span", {}, "Tg, ng/mL:"), sample("stimulated", dot(6, 6, 3, "full")), sample("suppressed", dot(6, 6, 3, "open")),
  sample("TgAb positive", path([[3, 3], [9, 9]], "ink"), path([[3, 9], [9, 3]], "ink")),
  element("span", {}, "\u00b9\u00b3\u00b9I:"), sample("all lesions took up", courseMark(6, 6, 4, "all")), sample("some", courseMark(6, 6, 4, "some")),
  sample("none", courseMark(6, 6, 4, "none")), sample("not read", courseMark(6, 6, 4, null)), element("span", {}, "\u20391 one course earlier"), element("span", {}, "line to line: tenfold"),
];
