// Days of a time zone, from the browser's own zone data (docs/spec/totals.md).

const DAY_MS = 86400000;
const HOUR_MS = 3600000;
const LAST_WRITTEN = 253402300799999;

// Engines take as long to open a zone as to judge a small bundle: the last ones stay open.
const OPENED = new Map();
const MAX_OPENED = 16;

// Give the zone of this name, or null where the browser does not know it.
export function zoneNamed(name) {
  if (!OPENED.has(name)) {
    if (OPENED.size >= MAX_OPENED) OPENED.clear();
    OPENED.set(name, formatOf(name));
  }
  const format = OPENED.get(name);
  return format === null ? null : new Zone(name, format);
}

function formatOf(name) {
  // Browsers take offsets and any case; a name in terms is a name of the zone database as it stands.
  if (/^[+-]/.test(name)) return null;
  try {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: name, calendar: "gregory", numberingSystem: "latn", hourCycle: "h23", year: "numeric",
      month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
    });
    const found = format.resolvedOptions().timeZone;
    return found !== name && found.toLowerCase() === name.toLowerCase() ? null : format;
  } catch {
    return null;
  }
}

class Zone {
  constructor(name, format) {
    this.name = name;
    this.format = format;
    this.held = null;
    this.known = new Map();
  }

  // Give the offset from UTC at an instant, in milliseconds.
  offset(instant) {
    const parts = {};
    const second = Math.floor(instant / 1000) * 1000;
    for (const { type, value } of this.format.formatToParts(second)) parts[type] = Number(value);
    const local = Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
    return local - second;
  }

  // Write an instant as this zone's time, with the offset from UTC that it had then.
  instantText(instant) {
    // A claim may lie beyond the calendar's end, here or in the zone.
    const offset = instant <= LAST_WRITTEN ? this.offset(instant) : Infinity;
    if (instant + offset > LAST_WRITTEN) return `${instant} ms after 1970`;
    const shown = new Date(instant + offset).toISOString();
    return `${shown.slice(0, 10)} ${shown.slice(11, -1)} ${offsetText(offset)}`;
  }

  // Cut [begin, end) at midnights.
  *cut(begin, end) {
    for (let at = begin; at < end; ) {
      const stop = Math.min(this.dayOf(at).until, end);
      yield [at, stop];
      at = stop;
    }
  }

  // Give the number of the day (since 1970) of an instant, and the midnight at which it is cut.
  dayOf(instant) {
    if (this.held !== null && instant >= this.held.from && instant < this.held.until) return this.held;
    const offset = this.offset(instant);
    const day = Math.floor((instant + offset) / DAY_MS);
    const midnights = this.midnightsAfter(day);
    const until = midnights.find((stop) => stop > instant) ?? instant + HOUR_MS;
    const found = { day, from: instant, until };
    // Where clocks do not change, the rest of the day is this day too.
    this.held = midnights.length === 1 && (day + 1) * DAY_MS - offset === until ? found : null;
    return found;
  }

  // Give the begins of the day after `day`: one, or the tellings of one that is skipped or doubled.
  midnightsAfter(day) {
    if (!this.known.has(day)) this.known.set(day, this.midnightsAt((day + 1) * DAY_MS));
    return this.known.get(day);
  }

  midnightsAt(local) {
    const [early, late] = [local - 15 * HOUR_MS, local + 15 * HOUR_MS];
    const [before, after] = [this.offset(early), this.offset(late)];
    if (before === after) return [local - before];
    const change = this.changeBetween(early, late, before);
    return [Math.max(before, after), Math.min(before, after)].map(
      (border) => local - (local < change + border ? before : after),
    );
  }

  // Find the first second at which the offset differs from the one before.
  changeBetween(low, high, before) {
    while (high - low > 1000) {
      const middle = low + Math.floor((high - low) / 2000) * 1000;
      if (this.offset(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }
}

function offsetText(offset) {
  const seconds = Math.abs(offset) / 1000;
  const parts = [seconds / 3600, (seconds / 60) % 60, ...(seconds % 60 > 0 ? [seconds % 60] : [])];
  return `${offset < 0 ? "-" : "+"}${parts.map((part) => String(Math.floor(part)).padStart(2, "0")).join(":")}`;
}

// Write the number of a day as YYYY-MM-DD.
export function dayText(day) {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

// Give the Monday of a day's week: 1970-01-01 was a Thursday.
export function mondayOf(day) {
  return day - ((day + 3) % 7);
}
