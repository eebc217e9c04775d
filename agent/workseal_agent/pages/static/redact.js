// The redaction editor of a page: its parts put together, and its buttons.

import { Editor, editor } from "./editor.js";
import { typing } from "./keyboard.js";
import { marking } from "./marks.js";
import { pointing } from "./pointer.js";

function acting(edit) {
  const acts = {
    all_hide: () => edit.change(new Uint8Array(edit.count)),
    all_show: () => edit.change(new Uint8Array(edit.count).fill(1)),
    undo: () => edit.step(edit.past, edit.future),
    redo: () => edit.step(edit.future, edit.past),
    closer: () => edit.zoomBy(1),
    farther: () => edit.zoomBy(-1),
    fit: () => edit.zoomTo(null),
    save: () => edit.save(),
  };
  for (const one of editor.querySelectorAll("[data-do]")) {
    one.addEventListener("click", acts[one.dataset.do]);
  }
  for (const one of editor.querySelectorAll("input[name=tool]")) {
    one.addEventListener("change", () => edit.handle());
  }
  edit.handle();
  editor.querySelector("[data-veil]").addEventListener("change", () => edit.draw());
}

async function begin() {
  const picture = new Image();
  picture.src = editor.dataset.picture;
  const answer = await fetch(`${editor.dataset.base}/frame.json`);
  // The vault locked itself meanwhile: the page says so, and asks.
  if (!answer.ok) return location.reload();
  await picture.decode();
  const edit = new Editor(await answer.json(), picture);
  pointing(edit);
  typing(edit);
  acting(edit);
  const known = edit.before.reduce((sum, bit) => sum + bit, 0);
  if (known) {
    const line = editor.querySelector("[data-known]");
    line.textContent = editor.dataset.before.replace("{count}", known);
    line.hidden = false;
  }
  edit.zoomTo(null);
  editor.dataset.ready = "";
  await marking(edit);
}

if (editor !== null) await begin();
