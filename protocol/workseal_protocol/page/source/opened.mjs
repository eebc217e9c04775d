// Step 12: what is opened is what was committed, was asked for, and was not withdrawn.

import { Fails, Malformed } from "./bytes.mjs";
import { OPENED_ACTIVITY, OPENED_ARTEFACT, OPENED_ENVIRONMENT, OPENED_EVIDENCE, OPENED_MEMO, OPENED_NOTES, verifyOpening } from "./commitment.mjs";
import { verifyDisclosure } from "./frames.mjs";
import { drawnOffset } from "./schedule.mjs";

const FOUND_TO_HOLD = 1;

// Name a statement in a reason: by its place in the bundle and its kind.
export function named(place, statement) {
  return `statement ${place} (${statement.kind})`;
}

// Check openings, disclosures, and the disputes that name them; give the disclosures that hold.
export async function checkOpened(found, turns) {
  const { bundle, items } = found;
  const records = new Map(items.map(({ statement, record }) => [statement.digest, record]));
  await checkOpenings(bundle.openings, records, turns);
  const answers = new Answers(items, records);
  const verified = new Map();
  for (const item of bundle.disclosures) {
    try {
      verified.set(item.disclosure.digest, checkDisclosure(found, item, answers));
    } catch (error) {
      if (error instanceof Fails) throw new Fails(`${item.name}: ${error.message}`);
      throw error;
    }
  }
  checkFindings(items, records, verified);
}

async function checkOpenings(openings, records, turns) {
  const seen = new Set();
  for (const [number, opening] of openings.entries()) {
    if (turns.due) await turns.next();
    try {
      const record = records.get(opening.statement);
      const commitment = commitmentsOf(record).get(opening.kind) ?? null;
      if (commitment === null) throw new Fails("its statement committed to no value of this kind");
      const activity = verifyOpening(opening, commitment);
      if (activity !== null && activity.observed > record.worked) {
        throw new Fails(`activity was observed for ${activity.observed} ms, in a segment of ${record.worked} worked ms`);
      }
      const name = `${opening.statement} ${opening.kind}`;
      if (seen.has(name)) throw new Fails("the value was opened before");
      seen.add(name);
    } catch (error) {
      if (error instanceof Fails || error instanceof Malformed) {
        throw new Fails(`opening ${number}: ${error.message}`);
      }
      throw error;
    }
  }
}

function commitmentsOf(record) {
  switch (record?.kind) {
    case "segment":
      return new Map([[OPENED_ACTIVITY, record.activity], [OPENED_NOTES, record.notes]]);
    case "session.open":
      return new Map([[OPENED_ENVIRONMENT, record.environment]]);
    case "declaration":
      return new Map([[OPENED_MEMO, record.memo], [OPENED_ARTEFACT, record.artefact]]);
    case "evidence":
      return new Map([[OPENED_EVIDENCE, record.item]]);
    default:
      return new Map();
  }
}

// The frames that were asked for and answered, in the order of the log.
class Answers {
  constructor(items, records) {
    const requests = new Set();
    this.pairs = new Map();
    for (const [place, { statement, record }] of items.entries()) {
      if (record.kind === "dispute.request") requests.add(statement.digest);
      if (record.kind === "dispute.disclosure") this.take(place, statement, record, requests, records);
    }
  }

  take(place, statement, record, requests, records) {
    if (!requests.has(record.request)) {
      throw new Fails(`${named(place, statement)} answers a request that does not stand before it`);
    }
    const asked = new Map(records.get(record.request).frames.map(([segment, frame]) => [frame, segment]));
    for (const [frame, disclosure] of record.frames) {
      if (!asked.has(frame)) throw new Fails(`${named(place, statement)} shows a frame that was not asked for`);
      const name = `${frame} ${disclosure} ${asked.get(frame)}`;
      if (!this.pairs.has(name)) this.pairs.set(name, place);
    }
  }

  // Give the place of the first answer to name both, to a request that named the segment.
  placeOf(frame, disclosure, segment) {
    return this.pairs.get(`${frame} ${disclosure} ${segment}`) ?? null;
  }
}

function checkDisclosure({ items, terms, withdrawn }, item, answers) {
  const { number, display, disclosure } = item;
  const { statement, record } = items[number] ?? {};
  if (record?.kind !== "segment" || record.frames.length === 0) {
    throw new Fails("its number is not that of a segment with frames");
  }
  if ((display === null) !== (record.frames.length === 1)) {
    throw new Fails("a display is named exactly when the segment has several frames");
  }
  const frame = record.frames[display ?? 0];
  if (frame === undefined) throw new Fails("the segment has no frame of this display");
  const answered = answers.placeOf(frame, disclosure.digest, statement.digest);
  if (answered === null) throw new Fails("no logged answer to a request names this disclosure");
  if ((withdrawn.get(frame) ?? answered) < answered) {
    throw new Fails("the frame was withdrawn before the answer");
  }
  verifyDisclosure(disclosure, frame);
  checkFrameHeader(disclosure.header, record, display ?? 0, terms);
  return { shown: disclosure.shown.length, tiles: disclosure.header.count };
}

function checkFrameHeader(header, segment, display, terms) {
  if (header.round !== segment.round) throw new Fails("the frame tells another round than its segment");
  if (header.display !== display) {
    throw new Fails("the frame tells another display than its place in the segment");
  }
  if (header.tile !== terms.tile) throw new Fails("the frame has other tiles than the terms ask for");
  if (drawnOffset(terms, segment.engagement, segment) !== header.offsetMs) {
    throw new Fails("the frame tells another instant than the one that was drawn");
  }
}

function checkFindings(items, records, verified) {
  for (const [place, { statement, record }] of items.entries()) {
    if (record.kind !== "dispute.finding") continue;
    const answer = records.get(record.disclosure);
    if (answer?.kind !== "dispute.disclosure") {
      throw new Fails(`${named(place, statement)} is about no logged answer`);
    }
    const told = new Set(answer.frames.map(([, disclosure]) => disclosure));
    for (const [disclosure, outcome, shown, tiles] of record.findings) {
      if (!told.has(disclosure)) throw new Fails(`${named(place, statement)} judges what was not handed over`);
      const counts = verified.get(disclosure);
      if (counts === undefined) continue;
      if (outcome !== FOUND_TO_HOLD || shown !== counts.shown || tiles !== counts.tiles) {
        throw new Fails(`${named(place, statement)} says what does not hold here`);
      }
    }
  }
}
