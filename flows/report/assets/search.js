/* Every patient by identifier: on the list, or why not. */
const MOST_HITS = 8;
const placeOf = new Map(CARDS.map((row) => [row.patient_id, row.index]));
/* A decision that was handed in is taken back by another one. */
const reopening = (id, phrase) => {
  if (!/^(confirmed|dismissed|deferred)\b/.test(phrase || "")) return null;
  const made = element("button", { type: "button", class: "button" });
  const tell = () => { made.textContent = answers[id] ? "Reopened: take back" : "Reopen"; };
  made.addEventListener("click", () => { answer(id, answers[id] ? null : { decision: "reopened" }); tell(); });
  tell();
  return made;
};
const hit = (id, phrase) => {
  const place = placeOf.get(id);
  const words = place === undefined ? inWords(phrase || `on the list; worklist.csv has it`) : `no. ${place + 1}${CARDS[place].list ? `, ${CARDS[place].list}` : ""}`;
  return element("li", {}, place === undefined ? element("b", {}, id) : element("a", { href: `#no-${place + 1}` }, id), ` \u00b7 ${place === undefined && phrase ? "not listed: " : ""}${words} `, place === undefined && reopening(id, phrase));
};
const lookUp = (text) => {
  const wantedText = text.trim().toLowerCase();
  if (!wantedText) return [];
  if (!DATA.everybody) {
    const near = CARDS.filter((row) => row.patient_id.toLowerCase().includes(wantedText)).slice(0, MOST_HITS);
    return [...near.map((row) => hit(row.patient_id)), element("li", {}, `${DATA.patients.toLocaleString("en")} patients are too many for one page; for anybody else: thyrisk explain IDENTIFIER`)];
  }
  const { ids, phrases, of } = DATA.everybody;
  const found = [];
  for (let index = 0; index < ids.length && found.length <= MOST_HITS; index += 1) if (ids[index].toLowerCase().includes(wantedText)) found.push(hit(ids[index], phrases[of[index]]));
  if (!found.length) return [element("li", {}, "Nobody of that identifier.")];
  return found.length > MOST_HITS ? [...found.slice(0, MOST_HITS), element("li", { class: "quiet" }, "and more: type on")] : found;
};
const setUpSearch = () => {
  const find = () => {
    const hits = lookUp($("find").value);
    $("hits").replaceChildren(...hits);
    $("hits-said").textContent = $("find").value.trim() ? `${hits.length} found` : "";
  };
  $("find").addEventListener("input", find);
  $("find").addEventListener("keydown", (event) => {
    if (event.key === "Escape") { $("find").value = ""; find(); }
    if (event.key === "Enter") $("hits").querySelector("a")?.click();
  });
  $("hits").addEventListener("click", (event) => { if (event.target.closest("a")) { $("find").value = ""; find(); } });
};
