/* The list: today's cards first, the rest behind a link; filters look at the whole list. */
const TODAY = 10;
const CHUNK = 100;
const FRESH = ["new", "changed", "due"];
const RULES = { closing_window: "window closes", progression: "progression", criterion: "criterion met", tg_rise: "Tg rise", points: "points", waiting: "waiting" };
const choice = { whole: false, upTo: CHUNK };

const daysLeft = (row) => (row.valid_until ? daysFrom(NIGHT, row.valid_until) : null);
const closesSoon = (row) => row.todo_kind === "examination" && row.valid_until && daysLeft(row) >= 0 && daysLeft(row) <= CLOSES_SOON;
const brief = (iso, year) => `${Number(iso.slice(8, 10))}\u00a0${MONTHS[Number(iso.slice(5, 7)) - 1].slice(0, 3)}${year ? ` ${iso.slice(0, 4)}` : ""}`;
const between = ({ valid_from: from, valid_until: until }) => {
  if (from && until) return from === until ? `of ${brief(from, true)}` : `of ${brief(from, from.slice(0, 4) !== until.slice(0, 4))} to ${brief(until, true)}`;
  if (until) return `of a day up to ${brief(until, true)}`;
  return from ? `of a day from ${brief(from, true)}` : "";
};
const left = (days) => (days === 0 ? "today is the last day" : `${days} ${days === 1 ? "day" : "days"} left`);
const joined = (...parts) => parts.filter(Boolean).join("; ");
const todoWords = (row) => {
  const what = inWords(row.todo_what);
  if (row.todo_kind === "examination") return [`${what}${row.valid_until ? ` until ${weekday(row.valid_until)}` : ""}`, joined(row.valid_until && left(daysLeft(row)), decided(row.decides))];
  if (row.todo_kind === "entry") return [`Enter: ${what}`, joined(between(row), decided(row.decides))];
  if (row.todo_kind === "nothing") return ["Nothing any more", what];
  return row.todo_kind === "complete" ? ["Nothing is missing", what || "every predictor is on file"] : ["", joined(inWords(row.needs_examination), inWords(row.needs_entry))];
};
const todo = (row) => {
  const [head, rest] = todoWords(row);
  return element("div", { class: `todo ${row.todo_kind || ""}${closesSoon(row) ? " closing" : ""}` }, head && element("b", {}, head), rest && element("span", {}, rest));
};

const placeLink = (row) => element("a", { href: `#no-${row.index + 1}` }, row.patient_id);
const person = (row) => [[SEX[row.sex] || (row.sex === undefined ? "" : "sex unknown"), row.age].filter((x) => x !== null && x !== undefined && x !== "").join(", "), row.histology].filter(Boolean).join(" \u00b7 ");
const siteWords = (row) => (row.sites ? said(row.sites.replaceAll("; ", ", ")) : "");
const tag = (row) => (FRESH.includes(row.list) ? element("span", { class: `tag${row.list === "changed" ? "" : " strong"}` }, row.list) : null);
const lead = (row) => {
  if (!row.why_lead) return [element("b", {}, said(row.review_reasons) || "Waits for a review")];
  const rest = inWords(row.why_rest);
  return [element("b", {}, `${inWords(row.why_lead)}${rest ? ":" : ""}`), rest && ` ${rest}${rest.endsWith(".") ? "" : "."}`];
};
const why = (row) => {
  const seen = row.last_contact_date ? `seen ${dayThisYear(row.last_contact_date)}` : "";
  return element("p", { class: "why" }, lead(row), " ", element("span", { class: "meta" }, tag(row), [siteWords(row), seen].filter(Boolean).join(" \u00b7 ")));
};
const decideButtons = (row) => element("div", { class: "decide", role: "group", "aria-label": `Your answer on ${row.patient_id}` },
  [["confirm", "Confirm"], ["dismiss", "Dismiss"], ["defer", "Defer"]].map(([name, words]) => element("button", { type: "button", "data-answer": name }, words)));

const card = (row) => {
  const drawn = row.index < IN_FULL ? spark(many(DATA.panels.timeline, row.index)) : null;
  return element("li", { class: "card", "data-index": row.index, id: `card-${row.index + 1}` },
    element("div", { class: "who" }, element("span", { class: "place" }, String(row.index + 1)), element("div", {}, element("h3", {}, placeLink(row)), element("small", {}, person(row)))),
    why(row), element("div", { class: "spark" }, drawn), todo(row), decideButtons(row), element("p", { class: "given", hidden: true }));
};
const heads = () => element("div", { class: "heads", "aria-hidden": "true" }, ["Patient", "Why, as of tonight", "Tg and \u00b9\u00b3\u00b9I, 3 years", "What can still be done", "Your answer"].map((words) => element("span", {}, words)));
const group = (title, more, rows, small, button, first = !small) => [
  element("div", { class: "cap" }, element("h2", {}, title, more && element("span", {}, ` ${more}`)), button),
  first ? heads() : null,
  rows.length ? element("ul", { class: `cards${small ? " less" : ""}` }, rows.map(card)) : null,
];
const link = (words, act) => {
  const made = element("button", { type: "button" }, words);
  made.addEventListener("click", act);
  return made;
};

const wanted = () => ({ list: $("by-list").value, rule: $("by-rule").value, todo: $("by-todo").value });
const chosen = ({ list, rule, todo: kind }) => CARDS.filter((row) =>
  (!list || list === "all" || row.list === list) && (!rule || row.urgency_rule === rule) && (!kind || row.todo_kind === kind));

/* A window that closes does not wait behind what is new, whichever list its patient is on. */
const isFirst = (row) => FRESH.includes(row.list) || row.urgency_rule === "closing_window";
const titleOf = (first) => {
  const kinds = FRESH.filter((kind) => first.some((row) => row.list === kind));
  const words = listed([...(first.some((row) => !FRESH.includes(row.list)) ? ["closing"] : []), ...kinds]);
  return words && `${words[0].toUpperCase()}${words.slice(1)}`;
};
const today = () => {
  const first = CARDS.filter(isFirst);
  const back = CARDS.filter((row) => !isFirst(row));
  const filling = choice.whole ? back.slice(0, choice.upTo) : back.slice(0, Math.max(0, TODAY - first.length));
  const turn = () => { choice.whole = !choice.whole; choice.upTo = CHUNK; show(); $("list").querySelector(".cap button")?.focus(); };
  const button = back.length > filling.length || choice.whole ? link(choice.whole ? "Show today's" : `Show all ${DATA.listed}`, turn) : null;
  const title = CARDS.some((row) => row.list) ? "Backlog" : "Waiting";
  return [
    ...(first.length ? group(titleOf(first), "", first, false, null) : []),
    ...(back.length ? group(title, `${filling.length} of ${DATA.listed - first.length}, most urgent first`, filling, true, button, !first.length) : []),
    ...(choice.whole ? [moreOf(back.length - filling.length)] : []),
  ];
};
const moreOf = (rest) => (rest > 0 ? element("p", { class: "cap" }, link(`Show ${Math.min(rest, CHUNK)} more`, () => { choice.upTo += CHUNK; show(); })) : null);

const show = () => {
  const what = wanted();
  const filtered = what.list || what.rule || what.todo;
  let parts;
  if (filtered) {
    const found = chosen(what);
    const rows = found.slice(0, choice.upTo);
    parts = found.length ? [...group("Chosen", `${found.length} of ${CARDS.length}, most urgent first`, rows, true, null, true), moreOf(found.length - rows.length)] : [];
    $("shown").textContent = found.length ? "" : `None of ${CARDS.length} patients.`;
  } else {
    parts = today();
    $("shown").textContent = DATA.listed > CARDS.length ? `The page holds the first ${CARDS.length} of ${DATA.listed}; worklist.csv has all.` : "";
  }
  $("list").replaceChildren(...parts.filter(Boolean));
  showAnswers();
  markCurrent();
};

const setUpCards = () => {
  const rules = Object.keys(RULES).filter((rule) => CARDS.some((row) => row.urgency_rule === rule));
  $("by-rule").append(...rules.map((rule) => element("option", { value: rule }, RULES[rule])));
  for (const [id, column] of [["by-list", "list"], ["by-rule", "urgency_rule"], ["by-todo", "todo_kind"]]) {
    const known = CARDS.some((row) => row[column]);
    $(id).closest("label").hidden = !known;
    $(id).addEventListener("input", () => { choice.upTo = CHUNK; show(); });
  }
  $("choose").hidden = !CARDS.length;
  const closing = CARDS.filter(closesSoon).sort((a, b) => (a.valid_until < b.valid_until ? -1 : 1));
  if (closing.length) {
    const [next] = closing;
    const when = daysLeft(next) === 0 ? "today" : `on ${weekday(next.valid_until)}`;
    $("closing").replaceChildren(element("a", { href: `#no-${next.index + 1}` }, `${closing.length === 1 ? "One window closes" : `${closing.length} windows close, the next`} ${when}: no. ${next.index + 1}`));
    $("closing").hidden = false;
  }
  if (CARDS.length && DATA.panels.timeline) {
    $("key").replaceChildren(...sparkKey(), element("span", {}, "keys: / find, j k on and back, c x d answer"));
    $("key").hidden = false;
  }
};
