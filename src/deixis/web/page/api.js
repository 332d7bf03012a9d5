// The service, as the page asks it. Addresses are relative, so that a proxy may put the page anywhere.

let token = "";

export class Refused extends Error {
  constructor(status, detail, wait) {
    super(detail);
    this.status = status;
    this.wait = wait;
  }
}

export function bear(secret) {
  token = secret;
}

export async function call(path, { method = "GET", form, signal, keepalive } = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  let response;
  try {
    response = await fetch(path, { method, body: form, headers, signal, keepalive, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, "The service does not answer. Is it still running?", 0);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({ detail: `${response.status} ${response.statusText}` }));
  throw new Refused(response.status, problem.detail, Number(response.headers.get("Retry-After") ?? 0));
}

export const json = async (path, options) => (await call(path, options)).json();

export function form(fields) {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    // A file goes without its name: that may be a patient's.
    if (value instanceof Blob) made.append(name, value, "image");
    else made.append(name, value);
  }
  return made;
}

export async function raster(path, Numbers, options) {
  const response = await call(path, options);
  const [rows, columns] = response.headers.get("Deixis-Shape").split(",").map(Number);
  const numbers = new Numbers(await response.arrayBuffer());
  const step = Number(response.headers.get("Deixis-Step"));
  const seen = response.headers.get("Deixis-Seen")?.split(",").map(Number);
  const cut = Number(response.headers.get("Deixis-Cut"));
  return { rows, columns, step, numbers, seen, cut };
}

export async function* events(path, options) {
  const reader = (await call(path, options)).body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n");
        const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
        const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
        if (name) yield { name, data: JSON.parse(data.join("\n")) };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
