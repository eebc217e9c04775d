// Elements of the page, and other people's words made harmless.
//
// Rule: text becomes text nodes, never markup; what comes out of a file passes `plain` first, so
// that nobody's text can hide a line or run backwards.

// Make an element with attributes and children; children that are text become text nodes.
export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat());
  return made;
}

// Spell out everything that is not visible, or steers what is: on one line.
export function plain(text) {
  return text.replace(/[\p{C}\p{Z}]/gu, (char) => {
    if (char === " ") return char;
    if (char === "\n") return "\\n";
    return `\\u{${char.codePointAt(0).toString(16)}}`;
  });
}

// Show other people's text, apart from the direction of what stands around it.
export function quoted(text) {
  return element("bdi", {}, plain(text));
}

// Write Unix milliseconds as a UTC time to the millisecond.
export function instantText(value) {
  const ms = Number(value);
  const shown = ms <= 253402300799999 ? new Date(ms).toISOString() : null;
  if (shown === null) return `${value} ms after 1970`;
  return `${shown.slice(0, 10)} ${shown.slice(11)}`;
}

export function countText(number, singular, plural = `${singular}s`) {
  return `${number} ${number === 1 ? singular : plural}`;
}

// A length of time, an instant, or days: what no line breaks in two.
const FIGURE = /^\d[\d hminsZ.:-]*( to \d[\d-]*)?$/;

// Make a table with a caption and heads; cells are text or elements.
export function table(caption, heads, rows) {
  const cell = (content, place) => element(place === 0 ? "th" : "td", {
    ...(place === 0 ? { scope: "row" } : {}), ...(FIGURE.test(content) ? { class: "figure" } : {}),
  }, content);
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, rows.map((row) => element("tr", {}, row.map(cell)))),
    ));
}
