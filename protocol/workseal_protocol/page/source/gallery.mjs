// Disclosed frames: drawn on a canvas from tiles that verified, one by one, when somebody asks.

import { countText, element } from "./elements.mjs";
import { drawnPixels, shownFigures, shownTiles } from "./frames.mjs";
import { HOLDS } from "./steps.mjs";
import { Turns } from "./turns.mjs";

// What is drawn unasked: an ordinary screen, not the largest frame that there can be.
const UNASKED_PIXELS = 2 ** 23;

// Give the section of disclosed frames, once step 12 held; empty when there are none.
export function frameSections({ found, steps }) {
  if (found.bundle === null || steps[11].outcome !== HOLDS || found.bundle.disclosures.length === 0) return [];
  const figures = found.bundle.disclosures.map(figureOf);
  return [element("section", { "aria-labelledby": "frames" },
    element("h2", { id: "frames" }, "Disclosed frames"),
    element("p", {}, "Drawn from verified tiles alone. Hidden tiles are a checker of magenta and grey cells, which is this page's own; a screen may show such a checker too, so the figures count."),
    ...figures)];
}

function figureOf(item, place) {
  const { disclosure, name } = item;
  const { header, shown } = disclosure;
  const told = element("p", {}, `${countText(shown.length, "tile")} of ${header.count} shown, ${header.width} by ${header.height} pixels.`);
  const holder = element("div", { class: "picture", tabindex: "0", role: "region", "aria-label": `Picture of ${name}` });
  const button = element("button", { type: "button" }, "Show the picture");
  const show = async () => {
    if (holder.firstChild !== null) {
      // Its pixels are let go.
      holder.replaceChildren();
      button.textContent = "Show the picture";
      return;
    }
    button.textContent = "Hide the picture";
    await draw(item, holder, told);
  };
  button.addEventListener("click", show);
  if (place === 0 && header.width * header.height <= UNASKED_PIXELS) show();
  return element("figure", {}, element("figcaption", {}, element("h3", {}, name), told), button, holder);
}

async function draw({ disclosure, name }, holder, told) {
  const turns = new Turns();
  try {
    const verified = await shownTiles(disclosure, turns);
    const { pixels, allPixels, flat } = shownFigures(verified);
    const { width, height, count } = verified.header;
    const words = `${verified.tiles.size} of ${count} tiles shown, ${((100 * pixels) / allPixels).toFixed(1)} % of the area; ${flat} of them are one flat colour and prove next to nothing.`;
    const canvas = element("canvas", { width: String(width), height: String(height), role: "img", "aria-label": `${name}: ${words}` });
    canvas.getContext("2d").putImageData(new ImageData(await drawnPixels(verified, turns), width, height), 0, 0);
    holder.replaceChildren(canvas);
    told.textContent = words;
  } finally {
    turns.close();
  }
}
