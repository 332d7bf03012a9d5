// A report: its text with what it asserts as buttons in their phrase's colour, and what it does not assert with the reason.

import { form, json } from "./api.js";
import { coloured, made } from "./phrases.js";

// Reads a text; gives { text, mentions } with offsets in code points, as the service counts.
export async function read(text) {
  const { sentences } = await json("v1/reports", { method: "POST", form: form({ report: text }) });
  return { letters: Array.from(text), mentions: sentences.flatMap((sentence) => sentence.mentions) };
}

// What to look for, each phrase once.
export function asserted({ mentions }) {
  return [...new Set(mentions.filter((one) => one.status === "present").map((one) => one.phrase))];
}

export function draw(place, report, state, choose) {
  const colours = new Map(coloured(state.phrases).map((one) => [one.phrase.text, one]));
  const parts = [];
  let at = 0;
  for (const mention of report.mentions) {
    parts.push(report.letters.slice(at, mention.start).join(""));
    parts.push(...shown(report.letters.slice(mention.start, mention.end).join(""), mention, colours.get(mention.phrase), state, choose));
    at = mention.end;
  }
  place.replaceChildren(...parts, report.letters.slice(at).join(""));
}

function shown(words, { status, reason }, found, state, choose) {
  if (status !== "present") {
    return [made("span", { className: "other", text: words, title: reason }), made("span", { className: "status", text: ` ${status}` })];
  }
  if (!found) return [words];
  const button = made("button", { type: "button", className: "mention", text: words, on: { click: () => choose(found.phrase) } });
  button.setAttribute("aria-label", `${words}, phrase ${found.label}`);
  button.style.setProperty("--colour", found.colour);
  button.toggleAttribute("data-active", state.active === found.phrase);
  return [button, made("span", { className: "status", text: ` ${found.label}` })];
}
