// What time was for, in the freelancer's words: worked time by project and by tag
// (docs/spec/opened.md).

import { LABEL_FORM, OPENED_EVIDENCE, readItemOfEvidence } from "./commitment.mjs";
import { CLASS_NAMES } from "./terms.mjs";
import { AGREES } from "./timesheets.mjs";
import { sharesOf, workClassOf } from "./totals.mjs";

// Fold verified entries, in log order, and verified openings; empty without a label.
export function labelledOf(entries, openings, zone) {
  const labels = labelsAmong(entries, openings);
  if (labels.length === 0) return { projects: [], tags: [] };
  const sums = new SumsByName(new Names(labels));
  for (const work of labelledWork(entries, labels, zone)) sums.add(work);
  return sums.labelled();
}

// Fold the same for each timesheet that counts: of its days, up to its head. One that differs from
// the record, was replaced or overlaps has none: so no day is in two of them.
export function labelledSheets(entries, openings, zone, timesheets) {
  const counting = timesheets.filter(({ agreement, replacedBy, overlaps }) => agreement === AGREES && replacedBy === null && overlaps === null);
  const labels = counting.length === 0 ? [] : labelsAmong(entries, openings);
  if (labels.length === 0) return new Map();
  const names = new Names(labels);
  const places = new Map(entries.map(({ digest }, place) => [digest, place]));
  const held = new Map();
  const byDay = new Map();
  for (const { digest, record } of counting) {
    held.set(digest, new SumsByName(names));
    for (const [day] of record.days) byDay.set(day, { head: places.get(record.head), sums: held.get(digest) });
  }
  for (const work of labelledWork(entries, labels, zone)) {
    const sheet = byDay.get(work.day);
    if (sheet !== undefined && work.place <= sheet.head) sheet.sums.add(work);
  }
  return new Map([...held].map(([digest, sums]) => [digest, sums.labelled()]));
}

function labelsAmong(entries, openings) {
  const items = new Map(openings.filter(({ kind }) => kind === OPENED_EVIDENCE)
    .map(({ statement, value }) => [statement, readItemOfEvidence(value)]));
  return entries.map(({ digest }) => items.get(digest)).filter((item) => item?.form === LABEL_FORM);
}

// Give the part of each entry that lies on one day, and what it was for.
function labelledWork(entries, labels, zone) {
  const cover = new LabelCover(labels);
  return entries.flatMap(({ record }, place) => {
    const kind = workClassOf(record);
    if (kind === null) return [];
    const label = cover.over(record.begin, record.end);
    return [...sharesOf(record, zone)].map(([day, ms]) => ({ place, day, kind, ms, label }));
  });
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

// Say at which place each name comes; made once, however many sums there are.
class Names {
  constructor(labels) {
    const placed = (names) => new Map([...new Set(names)].map((name, place) => [name, place]));
    this.projects = placed([...labels.map(({ project }) => project), null]);
    this.tags = placed(labels.flatMap(({ tags }) => tags));
  }
}

// Add up work by project and by tag.
class SumsByName {
  constructor(names) {
    [this.projects, this.tags] = [new NamedSums(names.projects), new NamedSums(names.tags)];
  }

  add({ day, kind, ms, label }) {
    this.projects.add(day, label === null ? null : label.project, kind, ms);
    for (const tag of label === null ? [] : label.tags) this.tags.add(day, tag, kind, ms);
  }

  labelled() {
    return { projects: this.projects.rows(), tags: this.tags.rows() };
  }
}

// Add up milliseconds by day, name and class; rows come in the order of days, then of names.
class NamedSums {
  constructor(order) {
    this.order = order;
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
