// Elements of the page, and other people's words made harmless.
//
// Rule: text becomes text nodes, never markup; what comes out of a file passes `plain` first, so
// that nobody's text can hide a line or run backwards.

const ROWS_AT_ONCE = 100;

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

// A length of time, an instant, days or an amount: what no line breaks in two.
const FIGURE = /^\d[\d hminsZ.:+-]*( to \d[\d-]*| [A-Z]{3})?$/;

// Make a table with a caption and heads; cells are text or elements, and so is the row of its sums.
export function table(caption, heads, rows, sums = null) {
  // On a narrow screen a row is a list, and each cell has its head before it.
  const cell = (content, place) => element(place === 0 ? "th" : "td", {
    ...(place === 0 ? { scope: "row" } : { "data-head": heads[place] }), ...(FIGURE.test(content) ? { class: "figure" } : {}),
  }, content);
  return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
      element("tbody", {}, rows.map((row) => element("tr", {}, row.map(cell)))),
      sums === null ? [] : element("tfoot", {}, element("tr", {}, sums.map(cell))),
    ));
}

// Make a table of the first items, each written as a row by `rowOf`, and a button that adds more.
//
// Rule: who adds rows stands at the first of them, so that the last use of the button, which takes
// it away, loses nobody's place.
export function longTable(caption, heads, items, rowOf = (cells) => cells, sums = null) {
  const rows = (from, until) => items.slice(from, until).map(rowOf);
  const whole = table(caption, heads, rows(0, ROWS_AT_ONCE), sums);
  if (items.length <= ROWS_AT_ONCE) return [whole];
  let shown = ROWS_AT_ONCE;
  const more = element("button", { type: "button" });
  const tell = () => {
    more.textContent = `Show more of ${items.length - shown} rows left`;
    more.hidden = shown >= items.length;
  };
  more.addEventListener("click", () => {
    const added = table(caption, heads, rows(shown, shown + 10 * ROWS_AT_ONCE)).querySelector("tbody");
    const head = added.querySelector("th");
    whole.querySelector("tbody").append(...added.children);
    shown += 10 * ROWS_AT_ONCE;
    tell();
    head.tabIndex = -1;
    head.focus();
  });
  tell();
  return [whole, more];
}
