// Watch with a thousand districts, on a quarter of the processor. Prints JSON: how long the board
// and the map take, and tasks of more than 50 ms by page.
import { launch, Person, root } from './browser.mjs';

const RUNS = Number(process.env.CARNET_RUNS);
const SLOWER = 4;

function observe() {
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      globalThis.tell(location.hash, Math.round(duration));
    }
  }).observe({ type: 'longtask', buffered: true });
}

const idle = (page) => page.evaluate(() =>
  new Promise((done) => { requestIdleCallback(() => setTimeout(done, 0)); }));

async function to(page, hash, selector) {
  const begun = performance.now();
  await page.evaluate((where) => { location.hash = where; }, hash);
  await page.locator(selector).first().waitFor();
  await idle(page);
  return performance.now() - begun;
}

async function visit(browser, found) {
  const person = await Person.begin(browser, { size: 'phone', hasAxe: false });
  await person.enter('epidemiologist');
  await person.context.exposeFunction('tell', (hash, ms) => {
    found.tasks.push(`${hash.slice(8) || 'board'} ${ms}`);
  });
  await person.context.addInitScript(observe);
  const page = await person.context.newPage();
  page.setDefaultTimeout(60_000);
  const cdp = await person.context.newCDPSession(page);
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
  const begun = performance.now();
  await page.goto(`${root}/#/watch`);
  await page.locator('.signal').first().waitFor();
  await idle(page);
  found.board.push(performance.now() - begun);
  found.map.push(await to(page, '#/watch/map/measles', '.map svg'));
  await page.locator('main summary').click();
  await page.locator('.behind').waitFor();
  await idle(page);
  await to(page, '#/watch/curve/measles', '.curve svg');
  await page.fill('#watch-place', 'district 7');
  await idle(page);
  await to(page, '#/watch', '.signal');
  await person.end();
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

const found = { board: [], map: [], tasks: [] };
const browser = await launch();
for (let i = 0; i < RUNS; i++) await visit(browser, found);
await browser.close();
console.log(JSON.stringify({ runs: RUNS, board: median(found.board), map: median(found.map),
  tasks: found.tasks }));
