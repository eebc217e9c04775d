// Choosing tiles with a pointer: boxes, and the brush; and moving a picture that is larger than its place.

import { editor } from "./editor.js";
import { between } from "./tiles.js";

export function pointing(edit) {
  const { canvas } = edit;
  let from = null;
  let stroke = null;
  let last = null;
  let held = null;
  const stage = editor.querySelector("[data-stage]");
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    return {
      x: Math.round(((event.clientX - box.left) * edit.width) / box.width),
      y: Math.round(((event.clientY - box.top) * edit.height) / box.height),
    };
  };
  const brush = (at) => {
    const radius = edit.tile / 2;
    const box = { left: at.x - radius, right: at.x + radius, top: at.y - radius, bottom: at.y + radius };
    // A brush that shows gives whole tiles, the one under the point; one that hides, all it touches.
    const small = { left: at.x, right: at.x + 1, top: at.y, bottom: at.y + 1 };
    stroke = edit.applied(edit.tool, edit.tool === "brush_hide" ? box : small, stroke);
  };
  canvas.addEventListener("pointerdown", (event) => {
    // A second finger begins nothing.
    if (event.button !== 0 || !event.isPrimary) return;
    canvas.setPointerCapture(event.pointerId);
    if (edit.tool === "move") {
      if (event.pointerType !== "touch") held = event;
      return;
    }
    canvas.focus();
    from = last = place(event);
    if (edit.tool.startsWith("brush")) {
      stroke = edit.shown.slice();
      brush(from);
      edit.draw(stroke);
    }
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (held !== null) {
      stage.scrollBy(held.clientX - event.clientX, held.clientY - event.clientY);
      held = event;
    }
    if (from === null || !event.isPrimary) return;
    const at = place(event);
    if (stroke !== null) {
      // A quick hand leaves no gap: the brush goes along the line between two events.
      const length = Math.hypot(at.x - last.x, at.y - last.y);
      const steps = Math.max(1, Math.ceil((2 * length) / edit.tile));
      for (let step = 1; step <= steps; step++) {
        brush({
          x: Math.round(last.x + ((at.x - last.x) * step) / steps),
          y: Math.round(last.y + ((at.y - last.y) * step) / steps),
        });
      }
      last = at;
      edit.draw(stroke);
      return;
    }
    edit.drag = between(from, at);
    edit.draw(edit.applied(edit.tool, edit.drag));
  });
  const end = (event) => {
    held = null;
    if (from === null || !event.isPrimary) return;
    const next = stroke ?? edit.applied(edit.tool, between(from, place(event)));
    const moved = stroke !== null || edit.drag !== null;
    from = stroke = edit.drag = null;
    if (moved && event.type === "pointerup") edit.change(next);
    edit.draw();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
}
