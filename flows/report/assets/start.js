/* Views by the address's fragment, which never names a patient; keys; ages. */
const VIEWS = ["desk", "registry", "quality", "models", "holds"];
let current = null;

const markCurrent = () => {
  for (const place of document.querySelectorAll(".card")) {
    if (current !== null && Number(place.dataset.index) === current) place.setAttribute("aria-current", "true");
    else place.removeAttribute("aria-current");
  }
};
const go = () => {
  const hash = location.hash.slice(1);
  const number = /^no-(\d+)$/.exec(hash);
  const left = current;
  current = number && CARDS[number[1] - 1] ? number[1] - 1 : null;
  const detail = /^m-/.test(hash) ? $(hash) : null;
  const view = current !== null ? "patient" : detail ? "quality" : VIEWS.includes(hash) ? hash : "desk";
  document.body.dataset.view = view;
  $("patient").hidden = view !== "patient";
  for (const tab of document.querySelectorAll(".tabs a")) {
    if (tab.hash.slice(1) === (view === "patient" ? "desk" : view)) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  if (view === "patient") showPatient(current);
  showAnswers();
  markCurrent();
  if (detail) { detail.open = true; detail.scrollIntoView(); return; }
  scrollTo(0, 0);
  if (view === "patient") $("who").focus({ preventScroll: true });
  else if (view === "desk" && left !== null) $(`card-${left + 1}`)?.querySelector("a").focus();
};

const beside = (step) => {
  const links = [...document.querySelectorAll("#list .card h3 a")];
  const place = links.findIndex((link) => link.closest(".card").contains(document.activeElement));
  links[Math.min(Math.max(place + step, 0), links.length - 1)]?.focus();
};
const step = (by) => {
  if (current === null) beside(by);
  else if (CARDS[current + by]) location.hash = `no-${current + by + 1}`;
};
const ANSWER_KEYS = { c: "confirm", x: "dismiss", d: "defer" };
const onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
  const place = current !== null ? $("patient").querySelector("[data-index]") : document.activeElement.closest(".card");
  if (event.key === "/") { event.preventDefault(); $("find").focus(); }
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "Escape" && current !== null) location.hash = "desk";
  else if (ANSWER_KEYS[event.key] && place && !event.repeat) decide(ANSWER_KEYS[event.key], place);
};

const ages = () => {
  for (const time of document.querySelectorAll("time[data-long]")) time.textContent = `${WEEKDAYS[new Date(at(time.dateTime)).getUTCDay()]} ${day(time.dateTime)}`;
  for (const time of document.querySelectorAll("time[data-age]")) {
    const now = new Date();
    const local = Date.UTC(now.getFullYear(), now.getMonth(), now.getDate());
    const days = Math.round((local - at(time.dateTime)) / DAY);
    time.textContent = `${dayThisYear(time.dateTime)}${days < 0 ? "" : days === 0 ? ", today" : `, ${days} ${days === 1 ? "day" : "days"} old`}`;
  }
};

ages();
setUpAnswers();
setUpSearch();
setUpCards();
show();
addEventListener("hashchange", go);
addEventListener("beforeprint", () => { if (current !== null) fitPaper(); });
addEventListener("afterprint", () => { $("patient").style.zoom = ""; });
document.addEventListener("keydown", onKey);
go();
