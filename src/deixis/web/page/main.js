// The page: joins the service, the canvases and the list of phrases.

import { bear, call, events, form, json, raster, Refused } from "./api.js";
import { Grey, Heat } from "./layers.js";
import { coloured, draw as drawList, made, pending, Phrase } from "./phrases.js";
import * as reports from "./report.js";
import { RESEARCH } from "./setup.js";
import { LOOK, Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const look = { ...LOOK };
const state = {
  image: null, grey: null, origin: null, phrases: [], active: null, recipes: [], history: [], suggestions: [],
  threshold: null, hover: null, probe: null, recipeRows: [], report: null,
};

// ---- drawing: everything changes the state, then asks for one drawing with the next frame

const due = new Set();
function soon(...parts) {
  if (!due.size) requestAnimationFrame(flush);
  for (const part of parts) due.add(part);
}

function flush() {
  const [rows, picture] = [due.has("rows"), due.has("picture")];
  due.clear();
  if (rows) {
    list();
    describe();
  }
  if (!picture) return;
  viewers.forEach((viewer, index) => viewer.draw(sceneOf(state.recipes[index])));
  controls();
  readout();
  document.dispatchEvent(new CustomEvent("deixis:drawn"));
}

const redraw = () => soon("picture");

function sceneOf(recipe) {
  if (!state.grey || !recipe) return null;
  const at = (heat) => state.threshold ?? heat.cut;
  const marks = coloured(state.phrases)
    .map(({ phrase, label, colour }) => ({ phrase, label, colour, answer: phrase.answers.get(recipe) }))
    .filter(({ phrase, answer }) => phrase.visible && answer?.heat)
    .map(({ phrase, label, colour, answer }) => ({
      label, colour, boxes: answer.found.boxes, heat: answer.heat, threshold: at(answer.heat), active: phrase === state.active,
    }));
  const heat = state.active?.visible ? state.active.answers.get(recipe)?.heat : null;
  return { grey: state.grey, heat, threshold: heat && at(heat), marks, probe: state.probe };
}

const viewers = ["view-a", "view-b"].map((id) => new Viewer($(id).querySelector("canvas"), look, {
  changed: redraw,
  hover: (point) => { state.hover = point; redraw(); },
  tool: () => document.querySelector("input[name=tool]:checked").value,
  probe: moveProbe,
  key: pressed,
}));

function choose(phrase) {
  state.active = phrase;
  phrase.visible = true;
  list();
  redraw();
}

function list() {
  drawList($("phrases"), state, {
    toggle: (phrase) => { phrase.visible = !phrase.visible; list(); redraw(); },
    choose,
    drop,
  });
  showReport();
  const old = state.history.filter((text) => !state.phrases.some((one) => one.text === text) && !state.suggestions.includes(text));
  const fresh = state.suggestions.filter((text) => !state.phrases.some((one) => one.text === text));
  $("chips").replaceChildren(...[...fresh, ...(state.image ? old.slice(0, 8) : [])].map((text) => (
    made("button", { type: "button", text, attributes: { "aria-label": `Find ${text}` }, on: { click: () => add(text) } })
  )));
  for (const button of $("formats").children) {
    button.hidden = Boolean(state.image) && !state.image.formats.includes(button.dataset.format);
    button.disabled = !jobsOf(state.recipes[0]).length;
  }
}

function controls() {
  const whole = (number) => `${Math.round(number)}`;
  const heat = state.active?.answers.get(state.recipes[0])?.heat;
  const threshold = state.threshold ?? heat?.cut;
  for (const [id, value, text] of [
    ["opacity", 100 * look.opacity, `${whole(100 * look.opacity)} %`],
    ["threshold", 100 * (threshold ?? 0.5), threshold === undefined ? "" : threshold.toFixed(2)],
    ["level", 100 * look.level, `${whole(100 * look.level)} %`],
    ["width", 100 * look.width, `${whole(100 * look.width)} %`],
  ]) {
    $(id).value = value;
    $(id).nextElementSibling.textContent = text;
  }
  $("own").checked = state.threshold === null;
  $("threshold-note").hidden = state.threshold === null;
  for (const [id, on] of [["invert", look.invert], ["show-heat", look.heat], ["show-boxes", look.boxes]]) $(id).setAttribute("aria-pressed", on);
}

function readout() {
  const point = state.hover ?? state.probe;
  if (!point || !state.grey) {
    $("readout").textContent = state.image ? `zoom ${Math.round(100 * look.zoom)} %` : "";
    return;
  }
  const parts = [`x ${Math.floor(point.x)}  y ${Math.floor(point.y)}`, `grey ${state.grey.at(point.x, point.y).toFixed(3)}`];
  for (const recipe of state.recipes) {
    const heat = state.active?.answers.get(recipe)?.heat;
    if (!heat) continue;
    const value = heat.at(point.x, point.y);
    parts.push(`${state.recipes.length > 1 ? `${recipe} ` : ""}heat ${value === null ? "not seen by the model" : value.toFixed(2)}`);
  }
  $("readout").textContent = [...parts, `zoom ${Math.round(100 * look.zoom)} %`].join("    ");
}

function describe() {
  viewers.forEach((viewer, index) => {
    const recipe = state.recipes[index];
    const figure = viewer.canvas.parentElement;
    figure.hidden = index > 0 && !recipe;
    figure.querySelector("figcaption").textContent = state.image && recipe ? recipe : "";
    const found = state.phrases.map(({ text, answers }) => `${text}: ${spoken(answers.get(recipe)?.found)}`);
    const size = state.image ? `Image of ${state.image.shape[1]} by ${state.image.shape[0]} pixels, read with ${recipe}. ${found.join(". ")}` : "No image yet";
    viewer.canvas.setAttribute("aria-label", size);
  });
}

function spoken(found) {
  if (!found) return "not answered yet";
  if (!found.boxes.length) return "no box";
  const { x0, y0, x1, y1, score } = found.boxes[0];
  const ends = [x0, y0, x1, y1].map((end) => end.toFixed(0)).join(" ");
  return `${found.boxes.length === 1 ? "one box" : `${found.boxes.length} boxes, the best`} at ${ends}, score ${score.toFixed(2)}`;
}

const say = (text) => { $("said").textContent = text; };
const complain = (id, error) => { $(id).textContent = error ? error.message : ""; };

// ---- the image

async function open(origin) {
  complain("image-alert", null);
  say("Reading the image");
  try {
    const image = await json("v1/images", { method: "POST", form: form(origin.fields) });
    const grey = new Grey(await raster(`v1/images/${image.image}/pixels`, Uint16Array), image.shape);
    forget();
    $("report-text").value = "";
    Object.assign(state, { image, grey, origin, phrases: [], active: null, report: null, suggestions: origin.phrases, probe: null, hover: null, threshold: null });
    Object.assign(look, { zoom: 1, x: 0.5, y: 0.5, level: 0.5, width: 1, invert: false });
    showImage();
    say(`The image is here, ${image.shape[1]} by ${image.shape[0]} pixels.`);
    $("phrase").focus();
  } catch (error) {
    failed("image-alert", error, () => open(origin));
  }
}

function showImage() {
  const { image } = state;
  $("empty").hidden = Boolean(image);
  $("forget").hidden = !image;
  const spacing = image?.spacing ? `, ${image.spacing[0].toPrecision(3)} mm per pixel` : "";
  $("facts").textContent = image ? `${image.shape[1]} × ${image.shape[0]} pixels${spacing}` : "";
  $("notices").replaceChildren(...(image?.notices ?? []).map((text) => made("li", { text })));
  list();
  describe();
  redraw();
}

// Cancels what runs and has the service forget the image.
function forget(leaving = false) {
  for (const phrase of state.phrases) stop(phrase);
  if (state.image) call(`v1/images/${state.image.image}`, { method: "DELETE", keepalive: leaving }).catch(() => {});
}

// ---- phrases

function add(...texts) {
  const words = texts.map((text) => text.trim()).filter(Boolean);
  complain("phrase-alert", null);
  if (!words.length) return;
  if (!state.image) {
    complain("phrase-alert", new Error("Choose an image or an example first."));
    return;
  }
  state.history = [...words.toReversed(), ...state.history.filter((one) => !words.includes(one))];
  const known = new Map(state.phrases.map((phrase) => [phrase.text, phrase]));
  const phrases = words.map((text) => known.get(text) ?? new Phrase(text));
  state.phrases.push(...phrases.filter((phrase) => !known.has(phrase.text)));
  [state.active] = phrases;
  ask();
}

// ---- a report: what it asserts is asked for, what it denies or leaves open is shown as that

async function readReport() {
  complain("report-alert", null);
  if (!state.image) {
    complain("report-alert", new Error("Choose an image or an example first."));
    return;
  }
  try {
    state.report = await reports.read($("report-text").value);
  } catch (error) {
    failed("report-alert", error, readReport);
    return;
  }
  const phrases = reports.asserted(state.report);
  if (phrases.length) add(...phrases);
  else complain("report-alert", new Error("The report asserts nothing that could be looked for."));
  showReport();
  say(`The report asserts ${phrases.length} findings.`);
}

function showReport() {
  const { report } = state;
  $("report-shown").hidden = $("report-edit").hidden = !report;
  $("report-text").hidden = $("report-read").hidden = Boolean(report);
  if (report) reports.draw($("report-shown"), report, state, choose);
}

function editReport() {
  state.report = null;
  showReport();
  $("report-text").focus();
}

// Asks whatever is missing under the chosen recipes.
function ask() {
  for (const phrase of state.phrases) {
    for (const recipe of state.recipes) if (!phrase.answers.has(recipe)) answer(phrase, recipe);
  }
  // The picture stays as it is until the answer is there, unless it is there already.
  const there = !pending(state.active?.answers.get(state.recipes[0]));
  soon("rows", ...(there ? ["picture"] : []));
}

async function answer(phrase, recipe) {
  const mine = { told: "asking", abort: new AbortController(), job: null };
  const { image } = state;
  phrase.answers.set(recipe, mine);
  const current = () => state.image === image && phrase.answers.get(recipe) === mine;
  try {
    const job = await submit(phrase, recipe, mine);
    mine.job = job.job;
    for await (const { name, data } of events(`v1/jobs/${job.job}/events`, { signal: mine.abort.signal })) {
      if (name === "progress") mine.told = progressOf(data);
      if (name === "end" && data.problem) throw new Refused(data.problem.status, data.problem.detail, 0);
      if (name === "phrase") {
        mine.heat = new Heat(await raster(`v1/jobs/${job.job}/maps/${data.index}`, Uint8Array, { signal: mine.abort.signal }));
        mine.found = data.grounding;
        if (current()) say(`${phrase.text}: ${spoken(mine.found)}`);
      }
      if (!current()) return;
      soon("rows", ...(name === "phrase" ? ["picture"] : []));
    }
  } catch (error) {
    if (error.name === "AbortError" || !current()) return;
    mine.error = error.message;
    soon("rows");
    if (error.status === 401) failed("phrase-alert", error, () => { phrase.answers.delete(recipe); ask(); });
  }
}

// Posts the job: waits where the queue is full, sends the image again where it was forgotten.
async function submit(phrase, recipe, mine) {
  for (;;) {
    try {
      const fields = { image_id: state.image.image, phrase: phrase.text, recipe };
      return await json("v1/jobs", { method: "POST", form: form(fields), signal: mine.abort.signal });
    } catch (error) {
      if (error.status === 429) {
        mine.told = `the queue is full, again in ${error.wait} s`;
        soon("rows");
        await new Promise((resolve) => setTimeout(resolve, 1000 * Math.max(1, error.wait)));
        if (mine.abort.signal.aborted) throw new DOMException("", "AbortError");
      } else if (error.status === 404 && state.origin) {
        const image = await json("v1/images", { method: "POST", form: form(state.origin.fields), signal: mine.abort.signal });
        state.image.image = image.image;
      } else throw error;
    }
  }
}

function progressOf({ state: now, ahead, evaluations }) {
  if (now === "waiting") return ahead > 1 ? `waiting, ${ahead - 1} before it` : "waiting";
  return evaluations ? `reading, ${evaluations} evaluations` : "reading";
}

function stop(phrase) {
  for (const one of phrase.answers.values()) {
    if (!pending(one)) continue;
    one.abort.abort();
    if (one.job) call(`v1/jobs/${one.job}`, { method: "DELETE" }).catch(() => {});
  }
}

function drop(phrase) {
  stop(phrase);
  const index = state.phrases.indexOf(phrase);
  state.phrases.splice(index, 1);
  if (state.active === phrase) state.active = state.phrases[Math.min(index, state.phrases.length - 1)] ?? null;
  list();
  describe();
  redraw();
  ($("phrases").querySelector("[data-active] .name") ?? $("phrase")).focus();
}

// ---- saving

const jobsOf = (recipe) => state.phrases.map((one) => one.answers.get(recipe)).filter((one) => one?.found).map((one) => one.job);

async function save(format) {
  complain("save-alert", null);
  try {
    const query = jobsOf(state.recipes[0]).map((job) => `job=${job}`).join("&");
    const response = await call(`v1/files/${format}?${query}`);
    const name = response.headers.get("Content-Disposition").match(/filename="([^"]+)"/)[1];
    const address = URL.createObjectURL(await response.blob());
    made("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
    say(`${name} is saved.`);
  } catch (error) {
    failed("save-alert", error, () => save(format));
  }
}

// ---- keys, gestures, controls

function moveProbe([x, y]) {
  if (!state.grey) return;
  const { width, height } = state.grey;
  const from = state.probe ?? { x: width / 2, y: height / 2 };
  const step = Math.max(1, Math.max(width, height) / (100 * look.zoom));
  const within = (value, most) => Math.min(most - 0.5, Math.max(0.5, value));
  state.hover = null;
  state.probe = { x: within(from.x + x * step, width), y: within(from.y + y * step, height) };
  redraw();
}

const KEYS = {
  "+": () => viewers[0].zoom(1.25), "=": () => viewers[0].zoom(1.25), "-": () => viewers[0].zoom(0.8),
  0: () => Object.assign(look, { zoom: 1, x: 0.5, y: 0.5 }),
  i: () => { look.invert = !look.invert; },
  h: () => { look.heat = !look.heat; },
  b: () => { look.boxes = !look.boxes; },
  "[": () => { look.opacity = Math.max(0, look.opacity - 0.05); },
  "]": () => { look.opacity = Math.min(1, look.opacity + 0.05); },
  n: () => step(1), p: () => step(-1),
  r: reset, "/": () => $("phrase").focus(), Escape: () => { state.probe = null; },
};

function pressed(key) {
  if (!Object.hasOwn(KEYS, key)) return false;
  KEYS[key]();
  redraw();
  return true;
}

function step(by) {
  if (!state.phrases.length) return;
  const index = state.phrases.indexOf(state.active) + by;
  state.active = state.phrases[(index + state.phrases.length) % state.phrases.length];
  say(`${state.active.text}: ${spoken(state.active.answers.get(state.recipes[0])?.found)}`);
  list();
}

function reset() {
  state.threshold = null;
  Object.assign(look, LOOK);
}

let recalled = -1;
function recall(event) {
  const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
  if (!by || !state.history.length) return;
  event.preventDefault();
  recalled = Math.min(state.history.length - 1, Math.max(-1, recalled + by));
  $("phrase").value = state.history[recalled] ?? "";
}

function listen() {
  $("file").addEventListener("change", ({ target }) => {
    const [file] = target.files;
    target.value = "";
    if (file) open({ fields: { image: file }, phrases: [] });
  });
  $("example").addEventListener("change", ({ target }) => {
    const chosen = state.examples.find((one) => one.name === target.value);
    target.value = "";
    if (chosen) open({ fields: { example: chosen.name }, phrases: chosen.phrases });
  });
  $("forget").addEventListener("click", () => {
    forget();
    $("report-text").value = "";
    Object.assign(state, { image: null, grey: null, origin: null, phrases: [], active: null, report: null, suggestions: [], probe: null, hover: null });
    showImage();
    say("The image is forgotten.");
  });
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    recalled = -1;
    add($("phrase").value);
    $("phrase").value = "";
  });
  $("phrase").addEventListener("keydown", recall);
  $("report-read").addEventListener("click", readReport);
  $("report-edit").addEventListener("click", editReport);
  for (const [id, apply] of [
    ["opacity", (value) => { look.opacity = value / 100; }],
    ["threshold", (value) => { state.threshold = value / 100; }],
    ["level", (value) => { look.level = value / 100; }],
    ["width", (value) => { look.width = value / 100; }],
  ]) $(id).addEventListener("input", ({ target }) => { apply(Number(target.value)); redraw(); });
  $("own").addEventListener("change", ({ target }) => {
    state.threshold = target.checked ? null : Number($("threshold").value) / 100;
    redraw();
  });
  for (const [id, key] of [["out", "-"], ["fit", "0"], ["in", "+"], ["invert", "i"], ["show-heat", "h"], ["show-boxes", "b"], ["reset", "r"]]) {
    $(id).addEventListener("click", () => pressed(key));
  }
  for (const id of ["recipe", "compare"]) $(id).addEventListener("change", chooseRecipes);
  dropping($("stage"));
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("theme").addEventListener("click", () => dress(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]));
  addEventListener("pagehide", () => forget(true));
}

function dropping(stage) {
  addEventListener("dragover", (event) => { event.preventDefault(); stage.classList.add("over"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) stage.classList.remove("over"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    stage.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) open({ fields: { image: file }, phrases: [] });
  });
}

function chooseRecipes() {
  const other = $("compare").value;
  state.recipes = [$("recipe").value, ...(other && other !== $("recipe").value ? [other] : [])];
  const row = state.recipeRows.find((one) => one.name === state.recipes[0]);
  $("summary").textContent = row ? `${row.name}: ${row.summary}.` : "";
  ask();
}

// ---- light and dark

const THEMES = ["system", "light", "dark"];

function dress(theme) {
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = `Theme: ${theme}`;
}

// ---- beginning

// Tells what went wrong; where a token is missing, asks for it and tries again.
function failed(place, error, again) {
  if (error.name === "AbortError") return;
  if (error.status !== 401) {
    complain(place, error);
    return;
  }
  $("token-form").onsubmit = () => {
    bear($("token").value.trim());
    $("token").value = "";
    setTimeout(again);
  };
  if (!$("token-dialog").open) $("token-dialog").showModal();
}

async function begin() {
  try {
    const [{ recipes }, offers] = await Promise.all([json("v1/recipes"), json("v1/offers")]);
    state.recipeRows = recipes;
    state.examples = offers.examples;
    for (const { name, default: chosen } of recipes) {
      $("recipe").append(made("option", { value: name, text: name, selected: chosen }));
      $("compare").append(made("option", { value: name, text: name }));
    }
    for (const { name } of offers.examples) $("example").append(made("option", { value: name, text: `${name} (synthetic)` }));
    $("lifetime").textContent = `${Math.round(offers.lifetime / 60)} minutes unused`;
    $("formats").replaceChildren(...offers.formats.map((format) => (
      made("button", { type: "button", text: format.toUpperCase(), disabled: true, attributes: { "aria-label": `Save as ${format}`, "data-format": format }, on: { click: () => save(format) } })
    )));
    chooseRecipes();
    await introduce();
  } catch (error) {
    failed("image-alert", error, begin);
  }
}

async function introduce() {
  for (;;) {
    const { models: [model] } = await json("v1/models");
    if (model) {
      $("model").textContent = `${model.name}, ${model.family}, ${model.image_size} px, sha256 ${model.weights_sha256.slice(0, 8)}`;
      $("notice").textContent = model.notice;
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

$("research").textContent = RESEARCH;
dress("system");
listen();
begin();
