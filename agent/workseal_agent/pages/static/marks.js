// Places to look at before they are shown: where they are, why, and a button that hides each.

import { editor } from "./editor.js";

// Reading a picture takes long: the marks come while their owner draws already.
export async function marking(edit) {
  const place = editor.querySelector("[data-marks]");
  place.hidden = false;
  const answer = await fetch(`${editor.dataset.base}/marks.json`);
  if (!answer.ok) return location.reload();
  const { marks, told } = await answer.json();
  edit.marks = marks;
  edit.draw();
  place.querySelector("[data-looked]").textContent = told;
  place.querySelector("[data-marks-text]").hidden = marks.length === 0;
  for (const mark of edit.marks) {
    const line = document.createElement("li");
    const kind = document.createElement("strong");
    kind.textContent = mark.kind;
    const box = {
      left: mark.left, right: mark.left + mark.width, top: mark.top, bottom: mark.top + mark.height,
    };
    const button = (name, act) => {
      const one = document.createElement("button");
      one.type = "button";
      one.textContent = name;
      one.setAttribute("aria-label", `${name}: ${mark.kind}`);
      one.addEventListener("click", act);
      return one;
    };
    line.append(
      kind, " ", mark.reason, " ",
      button(editor.dataset.markGo, () => edit.lookAt(box)),
      button(editor.dataset.markHide, () => edit.change(edit.applied("hide", box))),
    );
    place.querySelector("ul").append(line);
  }
  editor.dataset.marked = "";
}
