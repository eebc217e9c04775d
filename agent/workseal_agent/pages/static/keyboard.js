// Choosing tiles with the keyboard: a tile, a box from corner to corner, the tools, and the zoom.

import { editor } from "./editor.js";

export function typing(edit) {
  const { canvas } = edit;
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  let corner = null;
  const box = () => {
    const [one, other] = [edit.tileBox(...corner), edit.tileBox(...edit.cursor)];
    return {
      left: Math.min(one.left, other.left), right: Math.max(one.right, other.right),
      top: Math.min(one.top, other.top), bottom: Math.max(one.bottom, other.bottom),
    };
  };
  const move = ([x, y]) => {
    edit.cursor = [
      Math.min(edit.columns - 1, Math.max(0, edit.cursor[0] + x)),
      Math.min(edit.rows - 1, Math.max(0, edit.cursor[1] + y)),
    ];
    edit.drag = corner && box();
    edit.lookAt(edit.tileBox(...edit.cursor));
    edit.draw(corner ? edit.applied(edit.tool, box()) : edit.shown);
  };
  const acts = {
    " ": () => {
      const next = edit.shown.slice();
      next[edit.cursor[1] * edit.columns + edit.cursor[0]] ^= 1;
      edit.change(next);
    },
    Enter: () => {
      if (edit.tool === "move") return;
      if (corner === null) {
        corner = [...edit.cursor];
        move([0, 0]);
        return;
      }
      const next = edit.applied(edit.tool, box());
      corner = edit.drag = null;
      edit.change(next);
      edit.draw();
    },
    "+": () => edit.zoomBy(1),
    "-": () => edit.zoomBy(-1),
    0: () => edit.zoomTo(null),
    v: () => editor.querySelector("[data-veil]").click(),
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.altKey) return;
    const tools = [...editor.querySelectorAll("input[name=tool]")];
    // A Mac has the other key for it; capital letters come with Shift, and with the lock for them.
    if (event.ctrlKey || event.metaKey) {
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) edit.step(edit.past, edit.future);
      else if (key === "y" || key === "z") edit.step(edit.future, edit.past);
      else return;
    } else if (event.key in steps) move(steps[event.key]);
    else if (event.key in acts) acts[event.key]();
    else if (event.key === "Escape" && corner !== null) {
      corner = edit.drag = null;
      edit.draw();
    } else if (tools[Number(event.key) - 1] !== undefined) tools[Number(event.key) - 1].click();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", () => edit.draw());
  canvas.addEventListener("blur", () => edit.draw());
}
