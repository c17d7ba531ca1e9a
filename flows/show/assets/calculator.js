"use strict";
const MODEL = JSON.parse(document.getElementById("model").textContent);

/* ---- as models.engine computes; unknown is null ---- */
const rounded = (x) => (Math.sign(x) * Math.round(Math.abs(x) * 1e9)) / 1e9;
const isHigh = (points) => (MODEL.cutoff.high === ">=" ? points >= MODEL.cutoff.points : points > MODEL.cutoff.points);
const curveAt = (constant, lp) => (MODEL.family === "logistic" ? 1 / (1 + Math.exp(-(lp + constant))) : Math.pow(constant, Math.exp(lp)));

function effectOf(predictor, value) {
  if (predictor.levels) {
    const level = predictor.levels.find((one) => one.value === value);
    return level ? { low: level.effect, high: level.effect, least: level.least, most: level.most } : null;
  }
  if (typeof value !== "number" || !Number.isFinite(value)) return null;
  const effect = (value - predictor.centre) * predictor.slope;
  return { low: effect, high: effect, least: effect, most: effect };
}

function calculate(values) {
  const known = MODEL.predictors.map((predictor) => effectOf(predictor, values[predictor.name]));
  const sum = (end) => known.reduce((total, effect, at) => total + (effect || MODEL.predictors[at])[end], MODEL.start);
  const points = (lp) => rounded((lp - MODEL.start - MODEL.lowest) * MODEL.per_unit);
  const lower = points(sum("low")), upper = points(sum("high"));
  const missing = known.filter((effect) => effect === null).length;
  const decided = !MODEL.cutoff ? null : isHigh(lower) ? "high" : !isHigh(upper) ? "low" : null;
  const status = missing === known.length || (decided === null && openShare(sum, lower, upper) >= MODEL.no_answer)
    ? "insufficient" : missing ? "bounded" : "scored";
  const useful = status !== "insufficient";
  return {
    status,
    risk: MODEL.cutoff ? (useful && decided) || "indeterminate" : null,
    points: status === "scored" ? lower : null,
    points_lower: useful ? lower : null,
    points_upper: useful ? upper : null,
    each: known.map((effect, at) => (effect ? rounded((effect.low - MODEL.predictors[at].low) * MODEL.per_unit) : null)),
    predictions: MODEL.curves.map((curve) => predicted(curve, sum, status)),
  };
}

function openShare(sum, lower, upper) {
  if (MODEL.cutoff) return rounded((upper - lower) / MODEL.most_points);
  const lowest = MODEL.start + MODEL.lowest;
  const shares = MODEL.curves.map(({ value }) =>
    (curveAt(value, sum("high")) - curveAt(value, sum("low"))) / (curveAt(value, MODEL.highest) - curveAt(value, lowest)));
  return rounded(Math.max(0, ...shares));
}

function predicted(curve, sum, status) {
  const [worst, best] = MODEL.family === "logistic" ? ["least", "most"] : ["most", "least"];
  const lower = curveAt(curve.lower, sum(worst)), upper = curveAt(curve.upper, sum(best));
  const shown = status !== "insufficient" && upper - lower < MODEL.no_answer;
  return {
    name: curve.name,
    value: shown && status === "scored" ? curveAt(curve.value, sum("low")) : null,
    lower: shown ? lower : null,
    upper: shown ? upper : null,
  };
}

/* ---- the page ---- */
const $ = (id) => document.getElementById(id);
const number = (x) => (Number.isInteger(x) ? String(x) : x.toFixed(1));
const percent = (x) => `${(100 * x).toFixed(1)} %`;
const range = (low, high, words) => (low === high ? words(low) : `${words(low)} to ${words(high)}`);

function given(predictor) {
  const text = $(`of-${predictor.name}`).value.trim();
  if (text === "") return null;
  return predictor.levels ? text : Number(text.replace(",", "."));
}

function show() {
  const values = Object.fromEntries(MODEL.predictors.map((predictor) => [predictor.name, given(predictor)]));
  const found = calculate(values);
  const some = found.status !== "insufficient";
  $("risk").textContent = found.risk ? `Risk: ${found.risk}` : "";
  $("points").textContent = some ? `${range(found.points_lower, found.points_upper, number)} points` : "Too little is known to say anything.";
  $("predictions").replaceChildren(...found.predictions.map((one) => {
    const line = document.createElement("li");
    const about = one.lower === null ? "too wide to be of use" : range(one.lower, one.upper, percent);
    line.textContent = `${MODEL.names[one.name]}: ${one.value === null ? about : `${percent(one.value)} (${about})`}`;
    return line;
  }));
  MODEL.predictors.forEach((predictor, at) => {
    const value = values[predictor.name], box = $(`told-${predictor.name}`);
    const bad = value !== null && found.each[at] === null;
    const [low, high] = predictor.developed_on || [];
    const outside = !predictor.levels && found.each[at] !== null && (value < low || value > high);
    box.textContent = bad ? "not a number: counted as unknown"
      : found.each[at] === null ? "unknown: any value is possible"
      : `${number(found.each[at])} points${outside ? `; outside the ${low} to ${high} that the model was developed on` : ""}`;
  });
}

$("form").addEventListener("input", show);
$("form").addEventListener("reset", () => setTimeout(show));
show();
