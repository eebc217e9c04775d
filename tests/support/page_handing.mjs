// Hand signatures over to a browser that checks at once, on the page's thread: usage
// page_handing.mjs PAGE.
//
// Each check takes 4 ms of the thread. Prints what came out, and how many each turn took.
import { namesOf } from "./page_script.mjs";

const { Beside, Turns } = await namesOf(process.argv[2], "Beside", "Turns");
const CHECK_MS = 4;
const COUNT = 40;
const turns = new Turns();
const taken = [];
const take = turns.take.bind(turns);
turns.take = async () => {
  await take();
  taken.push(0);
};

function keyThatSays(answers) {
  return {
    requireChecked() {},
    accepts() {
      const until = performance.now() + CHECK_MS;
      while (performance.now() < until);
      taken[taken.length - 1]++;
      return Promise.resolve(answers());
    },
  };
}

const told = [];
for (const wrong of [-1, 17]) {
  let place = 0;
  taken.push(0);
  const beside = new Beside(turns);
  const key = keyThatSays(() => place++ !== wrong);
  for (let n = 0; n < COUNT; n++) beside.verify(key, new Uint8Array(64), () => new Uint8Array(1));
  told.push({ held: await beside.all(), checked: place });
}
turns.close();
console.log(JSON.stringify({ told, most: Math.max(...taken) }));
