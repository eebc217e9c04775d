// Terms: what client and freelancer agreed (docs/spec/terms.md).

import { Malformed, toHex } from "./bytes.mjs";
import { isOctets } from "./cbor.mjs";
import { publicKey } from "./keys.mjs";

export const TIMER = 1;
export const ACTIVITY_LEVEL = 2;
export const FRAMES_LEVEL = 3;
export const BY_DAY = 1;
export const DOWN = 0;
export const NEAREST = 1;
export const UP = 2;
// Classes of time; the first three are a segment's states.
export const LATE_DECLARED = 4;
export const CLASS_NAMES = new Map([[1, "working"], [2, "off-screen"], [3, "sealed"], [4, "late-declared"]]);
const WEEK_MS = 604800000;
const MAX_DAYS = 3650;

const LOG_POLICY_FORM = /^(?:[\x20-\x7e]+\n)+$/;
const CURRENCY_FORM = /^[A-Z]{3}$/;
export const ZONE_FORM = /^(?!(?:localtime|posixrules|Factory)$|(?:posix|right)\/)[A-Za-z0-9_+-]+(?:\/[A-Za-z0-9_+-]+){0,3}$/;
export const CALENDAR_FORM = /^[A-Z]{2}(?:-[A-Z0-9]{1,3})?$/;

// Read the map of terms and close it.
export function readTerms(fields) {
  const raw = new Map(fields.left);
  const formed = (key, name, maximum, form) => {
    const text = fields.text(key, name, maximum, 1);
    if (!form.test(text)) throw new Malformed(`terms: ${name} does not have its form`);
    return text;
  };
  const worth = fields.fields(24, "worth_percent");
  const terms = {
    raw,
    client: publicKey(fields.octets(1, "client")),
    freelancer: publicKey(fields.octets(2, "freelancer")),
    arbitrators: fields.array(3, "arbitrators", 1, 16).map(arbitratorKey),
    operator: publicKey(fields.octets(4, "operator")),
    logPolicy: formed(5, "log_policy", 4096, LOG_POLICY_FORM),
    roundMs: fields.uint(6, "round_ms", 600000, 1000),
    captureRate: fields.uint(7, "capture_rate", 65536),
    level: fields.uint(8, "level", FRAMES_LEVEL, TIMER),
    tile: fields.uint(9, "tile"),
    maxWithdrawnPercent: fields.uint(10, "max_withdrawn_percent", 100),
    maxOfflineMsPerWeek: fields.uint(11, "max_offline_ms_per_week", WEEK_MS),
    weeklyCapMs: fields.uint(12, "weekly_cap_ms", WEEK_MS),
    granularity: fields.uint(13, "granularity", 2, 1),
    rateMinorPerHour: fields.uint(14, "rate_minor_per_hour", 1000000000),
    currency: formed(15, "currency", 3, CURRENCY_FORM),
    roundingMs: fields.uint(16, "rounding_ms", 3600000),
    roundingMode: fields.uint(17, "rounding_mode", UP),
    zone: formed(18, "zone", 64, ZONE_FORM),
    clientCalendar: formed(19, "client_calendar", 6, CALENDAR_FORM),
    freelancerCalendar: formed(20, "freelancer_calendar", 6, CALENDAR_FORM),
    reviewDays: fields.uint(21, "review_days", MAX_DAYS, 1),
    answerDays: fields.uint(22, "answer_days", MAX_DAYS, 1),
    retentionDays: fields.uint(23, "retention_days", MAX_DAYS, 1),
    worthPercent: new Map([...CLASS_NAMES].map(([each, name]) => [each, worth.uint(each, name, 100)])),
  };
  worth.close();
  fields.close();
  if (![16, 32, 64, 128].includes(terms.tile)) throw new Malformed("terms: tile: expected 16, 32, 64 or 128");
  if (terms.level !== FRAMES_LEVEL && terms.captureRate > 0) {
    throw new Malformed("terms: a capture rate needs the level with frames");
  }
  const keys = [terms.client, terms.freelancer, terms.operator, ...terms.arbitrators].map((key) => toHex(key.raw));
  if (new Set(keys).size !== keys.length) throw new Malformed("terms: one key stands for two parties");
  return terms;
}

function arbitratorKey(item) {
  if (!isOctets(item)) throw new Malformed("terms: expected a byte string as arbitrator's key");
  return publicKey(item);
}

const MINOR_DIGITS = new Map([
  ...["BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"].map((code) => [code, 0]),
  ...["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"].map((code) => [code, 3]),
  ["CLF", 4], ["UYW", 4],
]);

// Say in words what is paid and how it is rounded: the sentences of the terms.
export function moneySentences(terms) {
  const [working, offScreen, sealed, late] = [...CLASS_NAMES.keys()].map((kind) => terms.worthPercent.get(kind));
  return [
    `The rate is ${amountText(BigInt(terms.rateMinorPerHour), terms.currency)} an hour.`,
    `Of that rate are paid: work on the screen at ${working} %, declared off-screen work at ${offScreen} %, sealed work at ${sealed} %, time declared late at ${late} %.`,
    roundingSentence(terms),
  ];
}

function roundingSentence({ roundingMs, roundingMode }) {
  if (roundingMs === 0) return "Worked time is billed to the millisecond, without rounding.";
  const step = new Map([[DOWN, "down to"], [NEAREST, "to the nearest"], [UP, "up to"]]).get(roundingMode);
  return `The billed view rounds each day ${step} ${lengthText(roundingMs)}; the true figure stands beside it.`;
}

// Write a length of time that is not 0, as in "1 h 30 min".
function lengthText(ms) {
  const parts = [];
  let rest = ms;
  for (const [unit, size] of [["h", 3600000], ["min", 60000], ["s", 1000], ["ms", 1]]) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)} ${unit}`);
    rest %= size;
  }
  return parts.join(" ");
}

// Write an amount of minor units (BigInt), as in "65.00 EUR".
export function amountText(minor, currency) {
  const digits = MINOR_DIGITS.get(currency) ?? 2;
  const text = String(minor).padStart(digits + 1, "0");
  return digits === 0 ? `${text} ${currency}` : `${text.slice(0, -digits)}.${text.slice(-digits)} ${currency}`;
}
