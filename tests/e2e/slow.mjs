// My health on a slow phone: a quarter of the processor, 1.6 Mbit/s, 150 ms. Prints JSON.
import { launch, Person, root } from './browser.mjs';

const RUNS = Number(process.env.CARNET_RUNS);
const SLOWER = 4;
const BYTES_A_SECOND = 1.6e6 / 8;
const LATENCY_MS = 150;
const WAYS = ['vaccines', 'summary', 'timeline', 'access'];

// Told from within each document: tasks of more than 50 ms, and how long an interaction took.
function observe() {
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.tell('task', duration);
  }).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => {
    for (const { duration, interactionId } of list.getEntries()) {
      if (interactionId) globalThis.tell('interaction', duration);
    }
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
}

const idle = (page) => page.evaluate(() =>
  new Promise((done) => { requestIdleCallback(() => setTimeout(done, 0)); }));

async function slowly(context, page) {
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  await cdp.send('Network.clearBrowserCache');
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: LATENCY_MS,
    downloadThroughput: BYTES_A_SECOND, uploadThroughput: BYTES_A_SECOND });
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: SLOWER });
}

// One visit of somebody whom the node knows still, with nothing kept of the last one.
async function visit(browser, found) {
  const person = await Person.begin(browser, { size: 'phone' });
  await person.enter('mother');
  const { context } = person;
  await context.exposeFunction('tell', (what, ms) => found[what].push(ms));
  await context.addInitScript(observe);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await slowly(context, page);
  const begun = performance.now();
  await page.goto(`${root}/#/health`);
  await page.locator('.tiles').waitFor();
  await idle(page);
  found.first.push(performance.now() - begun);
  for (const name of WAYS) {
    await page.locator(`.ways a[href$="/${name}"]`).click();
    await page.waitForFunction((to) => location.hash.endsWith(to) &&
      document.querySelector('h1') && !document.querySelector('.waiting'), name);
    await idle(page);
  }
  await person.end();
}

const at = (list, part) => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
};

const found = { first: [], task: [], interaction: [] };
const browser = await launch();
for (let i = 0; i < RUNS; i++) await visit(browser, found);
await browser.close();
console.log(JSON.stringify({ runs: RUNS, first_p50: at(found.first, 0.5),
  first_p95: at(found.first, 0.95), tasks: found.task.length, task_max: at(found.task, 1),
  interactions: found.interaction.length, interaction_p98: at(found.interaction, 0.98) }));
