/* One patient: what happened, what it rests on, what can still be done. */
const USES = [
  "Use it to decide whom to look at first. What you see is what the registry held on {extracted}.",
  "Do not use it to withhold \u00b9\u00b3\u00b9I or to choose an activity: neither model was built to answer that.",
  "Neither model is validated outside its own hospital. No medical device; the decision is yours.",
];
const fact = (name, head, rest) => (head ? element("div", {}, element("dt", {}, name), element("dd", {}, element("b", {}, head), rest || "")) : null);

const metWords = (risk, features) => {
  if (risk.rrdtc_met) return [`Met, type ${risk.rrdtc_criterion ?? "unknown"}`, risk.rrdtc_met_date ? `since ${day(risk.rrdtc_met_date)}` : "since an unknown day"];
  if (risk.rrdtc_met === false) return ["Not met", "none of the five criteria"];
  return ["Unknown", inWords(risk.rrdtc_reason) || (features.has_index === false ? "no \u00b9\u00b3\u00b9I therapy" : "not DTC, or histology unknown")];
};
const activityWords = (risk, features) => {
  const courses = features.courses ?? features.courses_at_least;
  if (!courses) return [null, null];
  const total = features.cumulative_activity_mci ?? features.cumulative_activity_at_least;
  const surely = features.cumulative_activity_mci === null ? "at least " : "";
  const uptake = said(risk.uptake_category) || inWords(features.uptake_reason) || "uptake unknown";
  return [`${total ? `${surely}${short(total)}\u00a0mCi, ` : ""}${features.courses === null ? "at least " : ""}${courses} ${courses === 1 ? "course" : "courses"}`, `${uptake}${risk.uptake_provisional ? " (provisional)" : ""}`];
};
const lastTg = (events) => {
  const last = positiveTg(events).at(-1);
  if (!last) return [null, null, null];
  const kind = { yes: "Tg, stimulated", no: "Tg, suppressed" }[last.stimulated] || "Tg";
  return [kind, `${measured(last)} ng/mL`, `${day(last.date)}${last.tgab_positive ? ", TgAb positive: may be falsely low" : last.tgab_positive === false ? ", TgAb negative" : ""}`];
};
const facts = (risk, features, events) => {
  const [tgName, tg, tgRest] = lastTg(events);
  const months = features.follow_up_months;
  return element("dl", { class: "facts" },
    fact("RR-DTC", ...metWords(risk, features)),
    fact("Response", features.response, [said(features.response_basis), features.response_date && day(features.response_date)].filter(Boolean).join(", ")),
    fact("\u00b9\u00b3\u00b9I", ...activityWords(risk, features)),
    fact(tgName, tg, tgRest),
    fact("Tg doubles every", risk.tg_doubling_months && `${short(risk.tg_doubling_months)} months`, risk.tg_slope_from && `${risk.tg_slope_n} values, ${month(risk.tg_slope_from)} to ${month(risk.tg_slope_to)}`),
    fact("Follow-up", months === null || months === undefined ? null : `${Math.round(months)} months`, "from first \u00b9\u00b3\u00b9I"));
};

/* What differs, as the night publishes it (column: before -> after), for readers who know no columns. */
const COLUMNS = { rrdtc_flag: "risk of RR-DTC", rrdtc_met: "a criterion is met", rrdtc_criterion: "RR-DTC type", os_risk_group: "OS group", pfs_risk_group: "PFS group", uptake_category: "uptake", needs: "would be settled by" };
const STATE_WORDS = { true: "yes", false: "no", ...RISK };
const stateWords = (state) => STATE_WORDS[state] || said(state);
const changeWords = (text) => text.split("; ").map((part) => {
  const change = /^(\w+): (.*) -> (.*)$/.exec(part);
  return change ? `${COLUMNS[change[1]] || said(change[1])}: ${stateWords(change[2])} \u2192 ${stateWords(change[3])}` : part;
}).join("; ");
const extras = (row, risk) => {
  const changed = row.changed_since_review || (risk.changed_since_review || []).join("; ");
  const deferred = row.deferred_until ? ` until ${row.deferred_until}` : "";
  const known = row.known_since ? `known since the night of ${row.known_since}` : "";
  const others = (risk.review_reasons || []).filter((words) => !row.why_lead || !words.startsWith(row.why_lead));
  return [
    row.why_lead && others.length > 0 && `Also: ${others.join("; ")}`,
    changed && `Since the review: ${changeWords(changed)}`,
    row.reviewed_at && `Reviewed ${row.reviewed_at}: ${row.review_decision}${deferred}`,
    known && known[0].toUpperCase() + known.slice(1),
    row.waiting_since && `Waits since ${row.waiting_since}`,
    !changed && (risk.changed_since_last || []).length > 0 && `Since the last night: ${changeWords(risk.changed_since_last.join("; "))}`,
    risk.tgab_interference && "The stimulated Tg that the models use was TgAb positive: it may be falsely low",
    risk.episode_open === null && "Whether the episode is open is unknown; it is treated as open",
    risk.quarantined_rows && `${risk.quarantined_rows} of the patient's rows are quarantined`,
  ].filter(Boolean).map(inWords);
};
const otherTodos = (needs, row) => needs.filter((need) => need.what !== row.todo_what || need.kind !== row.todo_kind)
  .map((need) => todo({ ...need, todo_kind: need.kind, todo_what: need.what }));
const box = (row, risk, features, events, needs) => element("div", { class: "box" },
  element("p", { class: "say" }, tag(row), tag(row) && " ", lead(row), element("small", {}, extras(row, risk).join(". "))),
  element("div", { class: "side" }, decideButtons(row), element("p", { class: "given", hidden: true }), todo(row), otherTodos(needs, row)),
  facts(risk, features, events));

const STATES = { met: "met", not_met: "not met", unknown: "unknown" };
const criteria = (rows) => table("RR-DTC criteria", ["Criterion", "State", "Rests on", "Table and row"], rows.map((row) => ({
  hit: row.state === "met",
  cells: [`${row.criterion}\u2002${inWords(row.words)}`, `${STATES[row.state] || said(row.state)}${row.date ? ` ${day(row.date)}` : ""}`, inWords(row.evidence), sourceOf(row.source_table, row.source_row)],
})), { class: "stack criteria" });
const uncountedList = (rows) => element("ul", { class: "points" }, rows.map((row) => element("li", {}, element("b", {}, `${inWords(row.words)}${row.date ? `, ${day(row.date)}` : ""}`), `: ${inWords(row.reason)} `, sourceOf(row.source_table, row.source_row))));
const reviewTable = (rows) => table("Reviews", ["Day", "Answer", "By", "On"], [...rows].reverse().map((row) => ({
  cells: [row.reviewed_at, `${said(row.decision)}${row.deferred_until ? ` until ${row.deferred_until}` : ""}`, row.reviewer ?? "", [said(row.reason), row.note].filter(Boolean).join("; ")],
})));
const section = (title, ...children) => element("section", {}, element("h3", {}, title), children);

const header = (row, features) => {
  const where = features.centre || row.centre;
  return element("div", { class: "head" }, element("h2", { id: "who", tabindex: -1 }, row.patient_id),
    element("span", {}, [person(row), siteWords(row), where && `centre ${where}`].filter(Boolean).join(" \u00b7 ")),
    row.last_contact_date && element("span", { class: "small" }, `last contact ${day(row.last_contact_date)}`));
};
const walk = (row) => {
  const step = (to, words, wide) => (CARDS[to]
    ? element("a", { class: `button${wide ? " wide" : ""}`, href: `#no-${to + 1}`, rel: to > row.index ? "next" : "prev" }, words)
    : element("button", { class: `button${wide ? " wide" : ""}`, type: "button", disabled: true }, words));
  const paper = element("button", { class: "button wide", type: "button" }, "Print one page");
  paper.addEventListener("click", () => window.print());
  return element("div", { class: "walk" }, element("a", { class: "button", href: "#desk" }, "\u2190 Desk"), element("span", { class: "quiet" }, `${row.index + 1} of ${DATA.listed}`), element("span", { class: "gap" }),
    paper, step(row.index - 1, "Previous", false), step(row.index + 1, "Next \u2192", false));
};
const printed = (row) => element("p", { class: "only-print" }, `thyrisk \u00b7 night of ${day(NIGHT)}, run ${DATA.run} \u00b7 `, element("b", {}, row.patient_id),
  " \u00b7 No medical device, no decision: it says whom to look at. Not for withholding \u00b9\u00b3\u00b9I or choosing an activity; not validated outside the models' own hospitals. Dashed: inferred constants. This page is patient data.");

const inFull = (row) => {
  const { risk: risks, features: all, timeline: story, criteria: rules, needs: open, on_file: unused, reviews: given } = DATA.panels;
  const [risk, features] = [one(risks, row.index), one(all, row.index)];
  const [events, reviews, needs] = [many(story, row.index), many(given, row.index), many(open, row.index)];
  const [five, notCounted] = [many(rules, row.index), many(unused, row.index)];
  const scores = DATA.models.filter((model) => DATA.panels[`scores:${model.name}`]).map((model) => [model, one(DATA.panels[`scores:${model.name}`], row.index)]);
  const drawn = scores.filter(([model, score]) => model.nomogram && isIn(score.points_lower, score.points_upper));
  const ago = Math.floor(yearsSince(risk.index_date));
  const since = risk.index_date ? `, from the first \u00b9\u00b3\u00b9I on ${day(risk.index_date)}${ago ? `, ${ago} ${ago === 1 ? "year" : "years"} ago` : ""}` : "";
  return [
    box(row, risk, features, events, needs),
    story && section("From diagnosis to tonight", timeline(events, reviews, risk)),
    five.length > 0 && section("RR-DTC criteria (Liu 2022)", criteria(five)),
    scores.length > 0 && section(`What the models say${since}`, modelLines(scores, risk),
      drawn.map(([model, score]) => element("details", { class: "no-print" }, element("summary", {}, `${model.title}: nomogram with this patient on it`), nomogram(model, score))), origins(scores, features)),
    notCounted.length + reviews.length > 0 && element("section", {}, element("div", { class: "two" },
      notCounted.length > 0 && element("div", {}, element("h3", {}, "On file, but does not count"), uncountedList(notCounted)),
      reviews.length > 0 && element("div", {}, element("h3", {}, "Reviews"), reviewTable(reviews)))),
  ];
};
const uses = () => element("section", { class: "no-print" }, element("h3", {}, "How to use this, and how not"), element("ul", { class: "points" },
  USES.map((words) => element("li", {}, words.replace("{extracted}", DATA.extracted ? day(DATA.extracted) : "the day of its export")))));

/* One patient is one sheet of A4, whatever is known of them. */
const PAPER = { width: "186mm", height: (276 / 25.4) * 96, least: 0.6 };
const fitPaper = () => {
  const place = $("patient");
  const rules = [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => rule.media && rule.media.mediaText === "print");
  for (const rule of rules) rule.media.mediaText = "all";
  place.style.width = PAPER.width;
  const tall = place.scrollHeight;
  for (const rule of rules) rule.media.mediaText = "print";
  place.style.width = "";
  place.style.zoom = tall > PAPER.height ? Math.max(PAPER.least, PAPER.height / tall) : "";
};

const showPatient = (index) => {
  const row = CARDS[index];
  const whole = index < IN_FULL ? inFull(row) : [box(row, {}, {}, [], []), element("p", { class: "notice" }, `The page has the first ${IN_FULL} of the list in full. For this patient: thyrisk explain.`)];
  const sheet = element("article", { class: "sheet", "data-index": index }, header(row, index < IN_FULL ? one(DATA.panels.features, index) : {}), whole.filter(Boolean), uses(), printed(row));
  $("patient").replaceChildren(walk(row), sheet);
  for (const story of $("patient").querySelectorAll(".line-of-time")) story.scrollLeft = story.scrollWidth;
};
