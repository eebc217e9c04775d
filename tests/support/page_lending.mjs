// Put signatures off beside a second thread that behaves as it is told: usage
// page_lending.mjs PAGE.
//
// Each check is a number; the one that is wrong does not hold. Prints, for each behaviour and each
// wrong one, whether all held, and which checks neither the page nor the thread has told of.
import { namesOf } from "./page_script.mjs";

const { Beside, Turns } = await namesOf(process.argv[2], "Beside", "Turns");
const COUNT = 4000;
const WRONG = [-1, 0, 1000, 1024, 1151, 1152, 2500, COUNT - 1];

const later = (act) => setTimeout(act, 1);
// `answer` tells of a batch, `failed` that none will come, `number` counts batches from 1.
const BEHAVIOURS = {
  answers: (number, answer) => later(answer),
  "is silent": () => {},
  "is slow": (number, answer) => setTimeout(answer, 40 * number),
  "answers the other way round": (number, answer) => setTimeout(answer, 40 / number),
  fails: (number, answer, failed) => number === 1 && later(failed),
  "fails in between": (number, answer, failed) => later(number === 4 ? failed : answer),
  "fails at the end": (number, answer, failed) => later(number === 20 ? failed : answer),
  "is not to be had": null,
};

function laidOut(behaviour, wrong, told) {
  const holds = (place) => {
    told.add(place);
    return place !== wrong;
  };
  const thread = (answered, failed) => {
    if (behaviour === null) return null;
    let open = true;
    const heard = (act) => () => open && act();
    return {
      check(number, batch) {
        const answer = () => answered(number, batch.map(([, , signed]) => holds(signed())).every((one) => one));
        behaviour(number, heard(answer), heard(failed));
      },
      end() { open = false; },
    };
  };
  const key = { requireChecked() {}, accepts: async (signature, place) => holds(place) };
  return { thread, key };
}

const rows = [];
for (const [name, behaviour] of Object.entries(BEHAVIOURS)) {
  for (const wrong of WRONG) {
    const told = new Set();
    const turns = new Turns();
    const { thread, key } = laidOut(behaviour, wrong, told);
    const beside = new Beside(turns, thread);
    for (let place = 0; place < COUNT; place++) {
      beside.verify(key, new Uint8Array(64), () => place);
      if (place % 500 === 499) await turns.take();
    }
    const held = await beside.all();
    beside.close();
    turns.close();
    rows.push({ name, wrong, held, missing: held ? COUNT - told.size : 0 });
  }
}
console.log(JSON.stringify(rows));
