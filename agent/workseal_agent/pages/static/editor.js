// The editor of one picture: which tiles are shown, what was chosen before, and how it is drawn. What
// is hidden is drawn with the pattern that the other side will see.

import { form } from "./app.js";
import { covered, pack, touched, unpack } from "./tiles.js";

export const editor = document.querySelector("[data-editor]");
const UNDO_STEPS = 100;
const ZOOMS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4];

export class Editor {
  constructor(frame, picture) {
    Object.assign(this, frame);
    this.marks = [];
    this.picture = picture;
    this.count = this.columns * this.rows;
    this.shown = unpack(frame.shown, this.count);
    this.before = unpack(frame.before, this.count);
    this.past = [];
    this.future = [];
    this.cursor = [0, 0];
    this.zoom = null;
    this.drag = null;
    this.canvas = editor.querySelector("canvas");
    this.paper = this.canvas.getContext("2d");
    this.hidden = this.paper.createPattern(this.checker(), "repeat");
  }

  checker() {
    const { first, second, cell } = this.pattern;
    const one = document.createElement("canvas");
    one.width = one.height = 2 * cell;
    const paper = one.getContext("2d");
    for (const [x, y] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      paper.fillStyle = `rgb(${((x + y) % 2 ? second : first).join(" ")})`;
      paper.fillRect(x * cell, y * cell, cell, cell);
    }
    return one;
  }

  get tool() {
    return editor.querySelector("input[name=tool]:checked").value;
  }

  // A finger that moves the picture is the browser's; one that chooses is ours.
  handle() {
    this.canvas.classList.toggle("moved", this.tool === "move");
  }

  change(next) {
    if (next.every((bit, at) => bit === this.shown[at])) return;
    this.past.push(this.shown);
    if (this.past.length > UNDO_STEPS) this.past.shift();
    this.future = [];
    this.shown = next;
    this.draw();
  }

  step(from, to) {
    if (from.length === 0) return;
    to.push(this.shown);
    this.shown = from.pop();
    this.draw();
  }

  // Applies a tool to a box of pixels, and returns the tiles; nothing is kept yet.
  applied(tool, box, shown = this.shown) {
    if (tool === "move") return shown;
    const inward = tool === "show" || tool === "only";
    const rounded = inward ? covered : touched;
    const [left, right] = rounded(box.left, box.right, this.width, this.tile);
    const [top, bottom] = rounded(box.top, box.bottom, this.height, this.tile);
    const next = tool === "only" ? new Uint8Array(this.count) : shown.slice();
    const bit = tool === "hide" || tool === "brush_hide" ? 0 : 1;
    for (let row = top; row < bottom; row++) {
      for (let column = left; column < right; column++) next[row * this.columns + column] = bit;
    }
    return next;
  }

  tileBox(column, row) {
    return {
      left: column * this.tile, right: Math.min((column + 1) * this.tile, this.width),
      top: row * this.tile, bottom: Math.min((row + 1) * this.tile, this.height),
    };
  }

  draw(shown = this.shown) {
    const { paper } = this;
    const veil = editor.querySelector("[data-veil]").checked;
    paper.globalAlpha = 1;
    paper.drawImage(this.picture, 0, 0);
    paper.fillStyle = this.hidden;
    paper.globalAlpha = veil ? 0.55 : 1;
    // In stretches of a row: tile by tile a large picture takes longer than a hand does.
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.columns; column++) {
        const { left, top, bottom } = this.tileBox(column, row);
        const first = column;
        while (column < this.columns && !shown[row * this.columns + column]) column += 1;
        const right = Math.min(column * this.tile, this.width);
        if (column > first) paper.fillRect(left, top, right - left, bottom - top);
      }
    }
    paper.globalAlpha = 1;
    if (veil) this.aids();
    this.tell(shown);
  }

  // What helps to choose and is in no preview: marks, corners of what is known, cursor and box.
  aids() {
    const { paper } = this;
    const line = Math.max(1, Math.round(1 / this.scale));
    this.before.forEach((bit, at) => {
      if (!bit) return;
      const { left, top } = this.tileBox(at % this.columns, Math.floor(at / this.columns));
      paper.fillStyle = "#0b57d0";
      paper.beginPath();
      paper.moveTo(left, top);
      paper.lineTo(left + 10, top);
      paper.lineTo(left, top + 10);
      paper.fill();
    });
    const frame = (box, outer, inner) => {
      for (const [width, colour] of [[4 * line, outer], [2 * line, inner]]) {
        paper.lineWidth = width;
        paper.strokeStyle = colour;
        paper.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
      }
    };
    for (const mark of this.marks) {
      const { left, top, width, height } = mark;
      frame({ left, top, right: left + width, bottom: top + height }, "#ffffff", "#b3261e");
    }
    if (this.drag) frame(this.drag, "#ffffff", "#000000");
    if (document.activeElement === this.canvas) {
      frame(this.tileBox(...this.cursor), "#000000", "#ffffff");
    }
  }

  get scale() {
    return this.canvas.clientWidth / this.width || 1;
  }

  tell(shown) {
    let tiles = 0;
    let pixels = 0;
    shown.forEach((bit, at) => {
      if (!bit) return;
      const box = this.tileBox(at % this.columns, Math.floor(at / this.columns));
      tiles += 1;
      pixels += (box.right - box.left) * (box.bottom - box.top);
    });
    const percent = ((100 * pixels) / (this.width * this.height)).toFixed(1)
      .replace(".", editor.dataset.point);
    const told = editor.querySelector("[data-told]");
    told.textContent = editor.dataset.share
      .replace("{shown}", tiles).replace("{tiles}", this.count).replace("{percent}", percent);
    if (this.most < this.count) {
      told.textContent += `; ${editor.dataset.most.replace("{level}", this.level).replace("{most}", this.most)}`;
    }
    told.classList.toggle("wrong", tiles > this.most);
    editor.querySelector("[data-do=undo]").disabled = this.past.length === 0;
    editor.querySelector("[data-do=redo]").disabled = this.future.length === 0;
  }

  zoomTo(zoom) {
    this.zoom = zoom;
    // Set by script, which the pages' policy allows; no style stands in the page.
    this.canvas.style.width = zoom === null ? "100%" : `${this.width * zoom}px`;
    this.draw();
  }

  zoomBy(steps) {
    const now = this.zoom ?? this.scale;
    const at = ZOOMS.reduce((best, one, i) => (Math.abs(one - now) < Math.abs(ZOOMS[best] - now) ? i : best), 0);
    this.zoomTo(ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at + steps))]);
  }

  lookAt(box) {
    const stage = editor.querySelector("[data-stage]");
    stage.scrollTo(
      ((box.left + box.right) / 2) * this.scale - stage.clientWidth / 2,
      ((box.top + box.bottom) / 2) * this.scale - stage.clientHeight / 2,
    );
  }

  async save() {
    const answer = await fetch(editor.dataset.base, {
      method: "POST",
      headers: { "content-type": "application/json", "x-workseal-form": form },
      body: JSON.stringify({ shown: pack(this.shown) }),
    });
    if (answer.ok) {
      location.assign(editor.dataset.after);
      return;
    }
    const wrong = editor.querySelector("[data-wrong]");
    wrong.textContent = await answer.json().then((body) => body.told, () => answer.statusText);
    wrong.hidden = false;
  }
}
