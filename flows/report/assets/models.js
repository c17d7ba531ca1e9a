/* One line per model, drawn as sure as it is; the nomogram folded. */
const LINE = { left: 8, width: 204, y: 10 };
const isIn = (low, high) => low !== null && low !== undefined && high !== null && high !== undefined;
const differs = (a, b) => Math.abs(a - b) > 1e-6;

const scale = (most) => (value) => LINE.left + (Math.min(Math.max(value, 0), most) / most) * LINE.width;
const certainty = (x, { low, high, possible, roomLow, roomHigh, cutoff }) => {
  const { y } = LINE, parts = [];
  const hasRoom = isIn(roomLow, roomHigh) && (differs(roomLow, low) || differs(roomHigh, high));
  if (hasRoom) parts.push(path([[x(roomLow), y], [x(roomHigh), y]], "ink dash"), path([[x(roomLow), y - 3], [x(roomLow), y + 3]], "ink"), path([[x(roomHigh), y - 3], [x(roomHigh), y + 3]], "ink"));
  if (possible && possible.length > 1) parts.push(path([[x(possible[0]), y], [x(possible.at(-1)), y]], "ink"), ...possible.map((value) => dot(x(value), y, 4, "open")));
  else if (differs(low, high)) parts.push(shape("rect", { class: "open", x: round(x(low)), y: y - 4, width: Math.max(round(x(high) - x(low)), 3), height: 8 }));
  else parts.push(dot(x(low), y, 4.5, "full"));
  if (cutoff !== null && cutoff !== undefined) parts.push(path([[x(cutoff), y - 9], [x(cutoff), y + 9]], "cut"));
  return parts;
};
const intervalOf = (model, score) => {
  const chance = model.family === "logistic";
  const most = chance ? 1 : model.most;
  const [low, high] = chance ? [score.probability_lower, score.probability_upper] : [score.points_lower, score.points_upper];
  if (!isIn(low, high)) return null;
  const x = scale(most);
  const scored = score.status === "scored";
  const one = chance
    ? { low: scored ? score.probability : low, high: scored ? score.probability : high, roomLow: scored ? low : null, roomHigh: scored ? high : null }
    : { low, high, possible: score.points_possible, roomLow: score.points_inferred_lower, roomHigh: score.points_inferred_upper, cutoff: model.cutoff };
  const ends = [write(x(0), 31, chance ? "0" : "0", { class: "quiet tiny", "text-anchor": "middle" }), write(x(most), 31, chance ? "100\u202f%" : short(most), { class: "quiet tiny", "text-anchor": "middle" })];
  if (!chance && model.cutoff !== null) ends.push(write(x(model.cutoff), 31, short(model.cutoff), { class: "bold tiny", "text-anchor": "middle" }));
  return drawing(220, 34, "", path([[x(0), LINE.y], [x(most), LINE.y]], "axis"), path([[x(0), LINE.y - 4], [x(0), LINE.y + 4]], "axis"), path([[x(most), LINE.y - 4], [x(most), LINE.y + 4]], "axis"), ...certainty(x, one), ...ends);
};

const pointsWords = (score) => {
  if (score.points_possible && score.points_possible.length > 1) return score.points_possible.map(short).join(" or ");
  if (!isIn(score.points_lower, score.points_upper)) return "";
  return differs(score.points_lower, score.points_upper) ? `Between ${short(score.points_lower)} and ${short(score.points_upper)}` : short(score.points_lower);
};
const sureness = (score, name) => {
  const [value, low, high] = [score[name], score[`${name}_lower`], score[`${name}_upper`]];
  if (!isIn(low, high)) return null;
  return value === null || value === undefined ? `${percent(low)} to ${percent(high)}` : `${percent(value)} (${percent(low)} to ${percent(high)})`;
};
const yearsSince = (iso) => (iso ? (at(NIGHT) - at(iso)) / DAY / 365.25 : 0);
const tagged = (words) => element("span", { class: "tag" }, words);

const survivalWords = (model, score, risk) => {
  const lived = yearsSince(risk.index_date);
  const ahead = model.horizons.filter((years) => years > lived);
  const words = ahead.map((years) => [years, sureness(score, `survival_${years}y`)]).filter(([, said]) => said).map(([years, said]) => `${years} years: ${said}`);
  const parts = [words.length ? `${model.outcome === "os" ? "Alive" : "Without progression"} at ${words.join("; ")}. ` : ""];
  for (const years of [3, 5]) {
    const given = model.outcome === "os" ? risk[`os_survival_given_${years}y`] : null;
    if (given !== null && given !== undefined) parts.push(`At 10 years, having lived ${years}, as here: ${percent(given)} `, tagged("derived"), " ");
  }
  const passed = model.horizons.filter((years) => years <= lived);
  if (passed.length && !ahead.length) parts.push("Every horizon has passed: no forecast. ");
  return parts;
};
const historyOf = (model, risk) => {
  if (model.outcome === "rrdtc" && risk.rrdtc_history) return ["a criterion is met, so no flag."];
  if (model.outcome === "pfs" && risk.pfs_history) return ["progressed or died, so no forecast."];
  return null;
};
const saysOf = (model, score, risk) => {
  if (score.status === "ineligible" || score.status === "insufficient" || !score.status) return [element("span", { class: "quiet" }, score.status === "insufficient" ? "Too little is known." : score.status ? "Not for this patient." : "")];
  const history = historyOf(model, risk);
  const parts = [];
  if (model.family === "logistic") parts.push(`${sureness(score, "probability") || "Not shown: it could be nearly anything"}. `);
  else parts.push(pointsWords(score), score.risk && !history ? [": ", element("b", {}, RISK[score.risk] || said(score.risk))] : "", ". ");
  if (model.family === "cox" && !history) parts.push(survivalWords(model, score, risk));
  if (history) parts.push(element("b", {}, "History"), `: ${history}`);
  return parts;
};
const limitsOf = (model, score) => {
  if (score.status === "ineligible" || score.status === "insufficient") return [(score.reasons || []).map(sentence).join(" ")];
  const missing = model.predictors.filter((one) => score[one.name] === null).map((one) => one.needs);
  const parts = [missing.length ? `Unknown: ${missing.map(inWords).join("; ")}. ` : "", ...(score.reasons || []).map((words) => `${sentence(words)} `)];
  if (isIn(score.points_inferred_lower, score.points_inferred_upper) && (differs(score.points_inferred_lower, score.points_lower) || differs(score.points_inferred_upper, score.points_upper))) {
    parts.push(`On axes that may have been drawn ${short(score.points_inferred_lower)} to ${short(score.points_inferred_upper)}. `);
  }
  if (model.inferred.length) parts.push(element("span", { class: "tag dashed" }, "inferred constants"), ` ${inWords(listed(model.inferred))}`);
  return parts;
};

const modelLines = (scores, risk) => [
  table("What the models say", ["Model", "With cut-off", "Says", "What limits it"], scores.map(([model, score]) => ({
    cells: [model.title, element("span", { class: "interval" }, intervalOf(model, score)), saysOf(model, score, risk), limitsOf(model, score)],
  })), { class: "stack models" }),
  element("p", { class: "key" }, sample("scored", dot(6, 6, 4, "full")), sample("one of these: a predictor is missing", dot(3, 6, 2.5, "open"), dot(10, 6, 2.5, "open")), sample("anything between", shape("rect", { class: "open", x: 0, y: 3, width: 12, height: 6 })), sample("room that inferred constants leave", path([[0, 6], [12, 6]], "ink dash")), sample("published cut-off", path([[6, 0], [6, 12]], "cut"))),
];

/* ---- nomogram, with the patient's marks worked out from the points ---- */
const marksOf = (model, score) => {
  const { axes, total } = model.nomogram;
  const top = (axis) => Number(axis.ticks.at(-1)[1]) / axis.ticks.at(-1)[0];
  const widest = top(axes[0]), all = top(axes[total]);
  const widthOf = (axis) => Math.max(...axis.ticks.map(([x]) => x));
  return axes.map((axis, row) => {
    if (row === 0) return null;
    if (row >= total) return isIn(score.points_lower, score.points_upper) ? [score.points_lower / all, score.points_upper / all] : null;
    const points = score[`${model.predictors[row - 1].name}_points`];
    return points === null ? [0, widthOf(axis)] : [points / widest, points / widest];
  });
};
const nomogram = (model, score) => {
  const left = 300, width = 600, step = 44;
  const { axes, total, cutoff, cutoffLabel } = model.nomogram;
  const parts = [], marks = marksOf(model, score);
  axes.forEach((axis, row) => {
    const y = 26 + row * step + (row >= total ? 14 : 0);
    const x = (place) => left + place * width;
    const places = axis.ticks.map(([place]) => x(place));
    parts.push(write(left - 14, y + 4, inWords(axis.label), { "text-anchor": "end", class: "bold" }), path([[Math.min(...places), y], [Math.max(...places), y]], axis.inferred ? "ink dash" : "ink"));
    for (const [place, words, above] of axis.ticks) parts.push(path([[x(place), y], [x(place), y + (above ? -5 : 5)]], "ink"), write(x(place), y + (above ? -8 : 17), words, { "text-anchor": "middle" }));
    if (row === total && cutoff !== null) parts.push(path([[x(cutoff), y - 16], [x(cutoff), y]], "cut"), write(x(cutoff), y - 19, cutoffLabel, { "text-anchor": "middle" }));
    if (!marks[row]) return;
    const [from, to] = marks[row].map((place) => x(Math.min(Math.max(place, 0), 1)));
    parts.push(to - from < 1 ? diamond(from, y, "full") : shape("rect", { class: "open", x: round(from), y: y - 4, width: round(to - from), height: 8 }));
  });
  return element("div", { class: "scroll nomogram", tabindex: 0, role: "region", "aria-label": `${model.title}: nomogram` },
    drawing(left + width + 24, axes.length * step + 34, `${model.title}: nomogram with this patient. Diamond: known; open bar: anything between; dashed axis: inferred.`, ...parts));
};
const origins = (scores, features) => {
  const rows = scores.filter(([, score]) => score.status === "scored" || score.status === "bounded").flatMap(([model, score]) => model.predictors.map((one) => {
    const value = score[one.name];
    const known = value === null ? element("span", {}, `unknown: needs ${inWords(one.needs)}`) : `${one.levels[value] || Number(Number(value).toPrecision(4))} ${one.unit}`;
    return { cells: [`${one.label}, ${OUTCOME[model.outcome]}`, known, score[`${one.name}_points`] === null ? "" : short(score[`${one.name}_points`]), (one.date && features[one.date]) || "", sourceOf(one.table, one.row ? features[one.row] : "")] };
  }));
  return rows.length ? element("details", { class: "no-print" }, element("summary", {}, "Where each value comes from"), table("Predictors and where they come from", ["Predictor", "Value", "Points", "Day", "Table and row"], rows)) : null;
};
