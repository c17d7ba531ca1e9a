/* Answers: kept in this browser under the night, handed in as one CSV file. */
const KEPT = `thyrisk answers ${NIGHT}`;
const CODE = "thyrisk reviewer";
const HEAD = ["patient_id", "reviewed_at", "reviewer", "decision", "reason", "deferred_until", "note"];
let answers = {};
let keeps = true;

const keep = (key, value) => {
  try { localStorage.setItem(key, value); } catch { keeps = false; $("unkept").hidden = false; }
};
const kept = (key) => {
  try { return localStorage.getItem(key); } catch { keeps = false; $("unkept").hidden = false; return null; }
};
const isAnswer = (given) => given && ["confirmed", "dismissed", "deferred", "reopened"].includes(given.decision);
const recall = () => {
  let found = {};
  try { found = JSON.parse(kept(KEPT) || "{}"); } catch { found = {}; }
  const known = DATA.everybody ? new Set(DATA.everybody.ids) : null;
  answers = Object.fromEntries(Object.entries(found || {}).filter(([id, given]) => isAnswer(given) && (!known || known.has(id))));
  $("reviewer").value = kept(CODE) || "";
};

const answerWords = (given) => {
  const note = given.note ? `, \u201c${given.note}\u201d` : "";
  if (given.decision === "deferred") return `Deferred until ${day(given.deferred_until)}${note}`;
  return given.decision === "dismissed" ? `Dismissed: ${said(given.reason)}${note}` : "Confirmed";
};
const showAnswers = () => {
  for (const place of document.querySelectorAll("[data-index]")) {
    const row = CARDS[place.dataset.index];
    const given = answers[row.patient_id];
    const line = place.querySelector(".given");
    place.classList.toggle("done", Boolean(given) && place.classList.contains("card"));
    line.hidden = !given;
    line.replaceChildren();
    if (!given) continue;
    const back = element("button", { type: "button", class: "button", "data-answer": "back" }, "Take back");
    if (given.sent) line.append(`${answerWords(given)} \u00b7 handed in`);
    else line.append(`${answerWords(given)} \u00b7 ${keeps ? "kept in this browser" : "not kept"}`, back);
  }
  const count = notSent().length;
  $("tray").hidden = !count && !$("told").textContent;
  $("given").textContent = count ? `${count} ${count === 1 ? "answer" : "answers"} ${keeps ? "in this browser" : "on this page"}, not handed in yet` : "Every answer is handed in";
};
const answer = (id, given) => {
  if (given) answers[id] = given;
  else delete answers[id];
  keep(KEPT, JSON.stringify(answers));
  showAnswers();
};

const notSent = () => Object.entries(answers).filter(([, given]) => !given.sent);
const quoted = (value) => `"${String(value ?? "").replaceAll('"', '""')}"`;
/* The reviewer saw this night, whatever the clock says: what became known later counts as a change. */
const asCsv = () => [HEAD.join(","), ...notSent().map(([id, given]) =>
  [id, NIGHT, $("reviewer").value.trim(), given.decision, given.reason, given.deferred_until, given.note].map(quoted).join(","))].join("\r\n") + "\r\n";
const download = () => {
  const url = URL.createObjectURL(new Blob([asCsv()], { type: "text/csv;charset=utf-8" }));
  element("a", { href: url, download: `decisions-${NIGHT}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
};
/* Where the page is served for one reviewer it can send its answers; `lines` are those of the file, from 2 on. */
const send = async () => {
  const given = notSent();
  try {
    const found = await window.thyriskSend(asCsv());
    const refused = found.lines.filter((one) => one.cell === null).map((one) => one.line - 2);
    given.forEach(([, one], index) => { if (!refused.includes(index)) one.sent = true; });
    keep(KEPT, JSON.stringify(answers));
    const why = found.lines.map((one) => `${given[one.line - 2]?.[0] ?? ""}: ${one.why}`);
    $("told").textContent = [`${found.taken + found.known} taken, ${found.refused} refused`, ...why].join("; ");
  } catch (error) { $("told").textContent = `Nothing was taken: ${error.message}`; }
  showAnswers();
};
const handIn = () => {
  const code = $("reviewer");
  code.setCustomValidity(code.value.trim() ? "" : "Who answered? Your code stands in the file.");
  if (!code.reportValidity()) return;
  if (window.thyriskSend) send();
  else download();
};

/* ---- asking for a reason or a day ---- */
let asked = null;
const ask = (name, row) => {
  const dialog = $(name);
  asked = row;
  dialog.querySelector("form").reset();
  dialog.querySelector("h2 span").textContent = row.patient_id;
  dialog.returnValue = "";
  const until = dialog.querySelector('[type="date"]');
  if (until) {
    const dayAfter = (days) => new Date(at(NIGHT) + days * DAY).toISOString().slice(0, 10);
    until.min = dayAfter(1);
    until.value = dayAfter(14);
  }
  dialog.showModal();
};
const setUpDialogs = () => {
  for (const name of ["dismiss", "defer"]) {
    const dialog = $(name);
    dialog.addEventListener("close", () => {
      if (dialog.returnValue !== "ok") return;
      const form = new FormData(dialog.querySelector("form"));
      const note = String(form.get("note") || "").trim().replace(/\s+/g, " ");
      answer(asked.patient_id, name === "defer" ? { decision: "deferred", deferred_until: form.get("until"), note } : { decision: "dismissed", reason: form.get("reason"), note });
    });
  }
};
const decide = (name, place) => {
  const row = CARDS[place.dataset.index];
  if (name === "confirm") answer(row.patient_id, { decision: "confirmed" });
  else if (name === "back") answer(row.patient_id, null);
  else ask(name, row);
  if (name === "back" || name === "confirm") place.querySelector(name === "back" ? "[data-answer='confirm']" : "[data-answer='back']")?.focus();
};
const setUpAnswers = () => {
  recall();
  setUpDialogs();
  $("reviewer").addEventListener("input", () => { $("reviewer").setCustomValidity(""); keep(CODE, $("reviewer").value.trim()); });
  $("download").addEventListener("click", handIn);
  if (window.thyriskSend) $("download").textContent = "Hand in";
  $("undo").addEventListener("click", () => { answers = Object.fromEntries(Object.entries(answers).filter(([, given]) => given.sent)); keep(KEPT, JSON.stringify(answers)); showAnswers(); });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-answer]");
    if (button && button.closest("[data-index]")) decide(button.dataset.answer, button.closest("[data-index]"));
  });
};
