// The redaction editor. It chooses tiles: a box to hide is rounded outward, one to show inward, as
// the agent rounds them. What is hidden is drawn with the pattern that the other side will see.

import { form } from "./app.js";

const editor = document.querySelector("[data-editor]");
const UNDO_STEPS = 100;
const ZOOMS = [0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4];

const unpack = (text, count) => {
  const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
  return Uint8Array.from({ length: count }, (_, at) => (bytes[at >> 3] >> (at & 7)) & 1);
};

const pack = (bits) => {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, at) => { bytes[at >> 3] |= bit << (at & 7); });
  return btoa(String.fromCharCode(...bytes));
};

// The tiles of a box, in columns and rows: [first, last) on each side.
const touched = (start, end, side, tile) => {
  const [low, high] = [Math.max(start, 0), Math.min(end, side)];
  return low < high ? [Math.floor(low / tile), Math.ceil(high / tile)] : [0, 0];
};

const covered = (start, end, side, tile) => [
  Math.ceil(Math.max(start, 0) / tile),
  end >= side ? Math.ceil(side / tile) : Math.floor(Math.max(end, 0) / tile),
];

class Editor {
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
  applied(tool, box) {
    const inward = tool === "show" || tool === "only";
    const rounded = inward ? covered : touched;
    const [left, right] = rounded(box.left, box.right, this.width, this.tile);
    const [top, bottom] = rounded(box.top, box.bottom, this.height, this.tile);
    const next = tool === "only" ? new Uint8Array(this.count) : this.shown.slice();
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
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < this.columns; column++) {
        if (shown[row * this.columns + column]) continue;
        const { left, right, top, bottom } = this.tileBox(column, row);
        paper.fillRect(left, top, right - left, bottom - top);
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
    const percent = ((100 * pixels) / (this.width * this.height)).toFixed(1);
    editor.querySelector("[data-told]").textContent = editor.dataset.share
      .replace("{shown}", tiles).replace("{tiles}", this.count).replace("{percent}", percent);
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

const between = (one, other) => ({
  left: Math.min(one.x, other.x), right: Math.max(one.x, other.x),
  top: Math.min(one.y, other.y), bottom: Math.max(one.y, other.y),
});

function pointing(edit) {
  const { canvas } = edit;
  let from = null;
  let stroke = null;
  let last = null;
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
    const kept = edit.shown;
    edit.shown = stroke;
    stroke = edit.applied(edit.tool, edit.tool === "brush_hide" ? box : small);
    edit.shown = kept;
    edit.draw(stroke);
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.focus();
    from = last = place(event);
    if (edit.tool.startsWith("brush")) {
      stroke = edit.shown.slice();
      brush(from);
    }
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (from === null) return;
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
      return;
    }
    edit.drag = between(from, at);
    edit.draw(edit.applied(edit.tool, edit.drag));
  });
  const end = (event) => {
    if (from === null) return;
    const next = stroke ?? edit.applied(edit.tool, between(from, place(event)));
    const moved = stroke !== null || edit.drag !== null;
    from = stroke = edit.drag = null;
    if (moved && event.type === "pointerup") edit.change(next);
    edit.draw();
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
}

function typing(edit) {
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
    if (event.altKey || event.metaKey) return;
    const tools = [...editor.querySelectorAll("input[name=tool]")];
    if (event.ctrlKey) {
      if (event.key === "z") edit.step(edit.past, edit.future);
      else if (event.key === "y") edit.step(edit.future, edit.past);
      else return;
    } else if (event.key in steps) move(steps[event.key]);
    else if (event.key in acts) acts[event.key]();
    else if (event.key === "Escape" && corner !== null) {
      corner = edit.drag = null;
      edit.draw();
    } else if (tools[Number(event.key) - 1] !== undefined) tools[Number(event.key) - 1].checked = true;
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("focus", () => edit.draw());
  canvas.addEventListener("blur", () => edit.draw());
}

// Reading a picture takes long: the marks come while their owner draws already.
async function marking(edit) {
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
