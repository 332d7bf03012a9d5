// The phrases asked of an image: what was found under each recipe, as a list that mouse, keys and readers can use.

// Bright enough on a dark image, and told apart by the colour-blind; numbers say the same without colour.
const COLOURS = ["#5cc8ff", "#ffb547", "#3fdb9f", "#f4e35a", "#f092d0", "#ff8a5c", "#a3adff", "#e4e9ef"];

// Figures of a phrase: a label and what of an answer it tells; what an answer does not have is left out.
const FIGURES = [
  ["boxes", (found) => String(found.boxes.length)],
  ["score", (found) => found.boxes[0]?.score.toFixed(2)],
  ["area", (found, image) => `${((100 * found.mask_area) / (image.shape[0] * image.shape[1])).toFixed(1)} %`],
  ["stability", (found) => found.stability?.toFixed(2)],
  ["agreement", (found) => found.agreement?.toFixed(2)],
  ["presence (experimental)", (found) => found.presence?.toFixed(2)],
];

let asked = 0;

export class Phrase {
  constructor(text) {
    asked += 1;
    this.text = text;
    this.key = asked;
    this.visible = true;
    this.answers = new Map();
  }
}

// An answer: { job, state, told, share, found, heat, error, cancel }
export const pending = (answer) => answer && !answer.found && !answer.error;

export function coloured(phrases) {
  return phrases.map((phrase, index) => ({ phrase, label: String(index + 1), colour: COLOURS[index % COLOURS.length] }));
}

export function made(tag, { text, on, attributes, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, value);
  for (const [name, listener] of Object.entries(on ?? {})) element.addEventListener(name, listener);
  element.append(...children);
  return element;
}

// Draws the list anew and leaves the focus where it was.
export function draw(list, state, act) {
  const held = document.activeElement?.dataset?.at;
  list.replaceChildren(...coloured(state.phrases).map((one) => item(one, state, act)));
  if (held) list.querySelector(`[data-at="${held}"]`)?.focus();
}

function item({ phrase, label, colour }, state, act) {
  const active = state.active === phrase;
  const going = state.recipes.some((recipe) => pending(phrase.answers.get(recipe)));
  const eye = made("button", {
    type: "button", className: "eye", text: label,
    attributes: { "aria-pressed": phrase.visible, "aria-label": `Show phrase ${label} on the image`, "data-at": `eye-${phrase.key}` },
    on: { click: () => act.toggle(phrase) },
  });
  const name = made("button", {
    type: "button", className: "name", text: phrase.text,
    attributes: { "aria-current": active ? "true" : "false", "data-at": `name-${phrase.key}` },
    on: { click: () => act.choose(phrase) },
  });
  const drop = made("button", {
    type: "button", className: "drop", text: going ? "Cancel" : "×",
    attributes: { "aria-label": `${going ? "Cancel" : "Remove"} phrase ${label}`, "data-at": `drop-${phrase.key}` },
    on: { click: () => act.drop(phrase) },
  });
  const answers = state.recipes.map((recipe) => told(phrase.answers.get(recipe), recipe, state, active));
  const row = made("li", { className: "phrase" }, eye, name, drop, made("div", { className: "answers" }, ...answers));
  row.style.setProperty("--colour", colour);
  row.toggleAttribute("data-active", active);
  return row;
}

function told(answer, recipe, state, active) {
  const row = made("div", { className: "answer" });
  if (state.recipes.length > 1) row.append(made("span", { className: "of", text: recipe }));
  if (!answer) return row;
  if (answer.error) row.append(made("span", { className: "alert", text: answer.error }));
  else if (pending(answer)) {
    const bar = made("progress", { attributes: { "aria-label": "progress" } });
    row.append(made("div", { className: "going" }, bar, made("span", { text: answer.told })));
  } else {
    const { found } = answer;
    const figures = FIGURES.map(([label, figure]) => [label, figure(found, state.image)]).filter(([, value]) => value !== undefined);
    const pairs = figures.map(([label, value]) => made("div", {}, made("dt", { text: label }), made("dd", { text: value })));
    row.append(made("dl", { className: "figures" }, ...pairs));
    if (active && found.boxes.length) row.append(table(found.boxes));
  }
  return row;
}

function table(boxes) {
  const head = ["x0", "y0", "x1", "y1", "score"].map((text) => made("th", { text, scope: "col" }));
  const rows = boxes.map((box) => made("tr", {}, ...[box.x0, box.y0, box.x1, box.y1].map((end) => made("td", { text: end.toFixed(0) })), made("td", { text: box.score.toFixed(2) })));
  const caption = made("caption", { className: "unseen", text: "Boxes in native pixels, best first" });
  return made("table", { className: "boxes" }, caption, made("thead", {}, made("tr", {}, ...head)), made("tbody", {}, ...rows));
}
