// What time was for, in the freelancer's words: worked time by project and by tag
// (docs/spec/opened.md).

import { LABEL_FORM, OPENED_EVIDENCE, readItemOfEvidence } from "./commitment.mjs";
import { CLASS_NAMES } from "./terms.mjs";
import { sharesOf, workClassOf } from "./totals.mjs";

// Fold verified entries, in log order, and verified openings; empty without a label.
export function labelledOf(entries, openings, zone) {
  const items = new Map(openings.filter(({ kind }) => kind === OPENED_EVIDENCE)
    .map(({ statement, value }) => [statement, readItemOfEvidence(value)]));
  const labels = entries.map(({ digest }) => items.get(digest)).filter((item) => item?.form === LABEL_FORM);
  if (labels.length === 0) return { projects: [], tags: [] };
  const cover = new LabelCover(labels);
  const projects = new NamedSums([...new Set(labels.map(({ project }) => project)), null]);
  const tags = new NamedSums([...new Set(labels.flatMap((label) => label.tags))]);
  for (const { record } of entries) {
    const kind = workClassOf(record);
    if (kind === null) continue;
    const label = cover.over(record.begin, record.end);
    for (const [day, part] of sharesOf(record, zone)) {
      projects.add(day, label === null ? null : label.project, kind, part);
      for (const tag of label === null ? [] : label.tags) tags.add(day, tag, kind, part);
    }
  }
  return { projects: projects.rows(), tags: tags.rows() };
}

// Add up rows by their name, in the order in which the names come; no label comes last.
export function sumsOfNames(rows) {
  const sums = new Map();
  for (const { name, worked } of rows) {
    if (!sums.has(name)) sums.set(name, emptyClasses());
    for (const [kind, ms] of worked) sums.get(name).set(kind, sums.get(name).get(kind) + ms);
  }
  if (sums.has(null)) {
    const rest = sums.get(null);
    sums.delete(null);
    sums.set(null, rest);
  }
  return sums;
}

function emptyClasses() {
  return new Map([...CLASS_NAMES.keys()].map((kind) => [kind, 0]));
}

// Say which label is the newest at an instant; n labels cost n log n, however they overlap.
class LabelCover {
  constructor(labels) {
    this.borders = [...new Set(labels.flatMap(({ begin, end }) => [begin, end]))].sort((one, other) => one - other);
    const places = new Map(this.borders.map((border, place) => [border, place]));
    this.owner = new Array(this.borders.length).fill(null);
    this.free = [...new Array(this.borders.length + 1).keys()];
    // The newest first: what it covers is taken, and passed over by the older ones.
    for (const label of [...labels].reverse()) {
      const end = places.get(label.end);
      for (let place = this.nextFree(places.get(label.begin)); place < end; place = this.nextFree(place)) {
        this.owner[place] = label;
        this.free[place] = place + 1;
      }
    }
  }

  // Give the label of [begin, end): the one that both its ends lie in.
  over(begin, end) {
    const [first, last] = [this.at(begin), this.at(Math.max(begin, end - 1))];
    return first === last ? first : null;
  }

  at(instant) {
    let [low, high] = [0, this.borders.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.borders[middle] <= instant) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? null : this.owner[low - 1];
  }

  nextFree(place) {
    while (this.free[place] !== place) {
      this.free[place] = this.free[this.free[place]];
      place = this.free[place];
    }
    return place;
  }
}

// Add up milliseconds by day, name and class; rows come in the order of days, then of names.
class NamedSums {
  constructor(names) {
    this.order = new Map(names.map((name, place) => [name, place]));
    this.days = new Map();
  }

  add(day, name, kind, ms) {
    if (!this.days.has(day)) this.days.set(day, new Map());
    const names = this.days.get(day);
    if (!names.has(name)) names.set(name, emptyClasses());
    names.get(name).set(kind, names.get(name).get(kind) + ms);
  }

  rows() {
    const placed = (one, other) => this.order.get(one[0]) - this.order.get(other[0]);
    return [...this.days].sort((one, other) => one[0] - other[0]).flatMap(([day, names]) =>
      [...names].sort(placed).map(([name, worked]) => ({ day, name, worked })));
  }
}
