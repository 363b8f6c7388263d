// What the portal's tests share: Debian's Chromium, a page that is watched, and axe.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const shots = process.env.CARNET_SHOTS;
const sizes = {
  phone: { width: 390, height: 844 },
  small: { width: 320, height: 640 },
  desktop: { width: 1280, height: 860 },
};

export const root = process.env.CARNET_ROOT;
// Beside a sanitized node the journeys count: how pages look is the same there, and was looked at.
export const isShort = process.env.CARNET_SHORT === '1';

const how = {
  executablePath: process.env.CARNET_CHROMIUM,
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
};

export async function launch() {
  return chromium.launch(how);
}

// A browser of a person: language, size, light or dark. Whatever it asks of another host, and
// whatever it complains about (a broken policy above all), fails the test.
export class Person {
  static async begin(browser, { language = 'en', size = 'phone', scheme = 'light',
    hasAxe = true, hasWorker = false, profile } = {}) {
    const options = { viewport: sizes[size], locale: language,
      colorScheme: scheme, reducedMotion: 'reduce', acceptDownloads: true,
      // Playwright does not see what a worker asks for, and every request is looked at.
      serviceWorkers: hasWorker ? 'allow' : 'block' };
    // With a profile, a folder: a browser of its own that keeps there what browsers keep.
    const context = profile
      ? await chromium.launchPersistentContext(profile, { ...how, ...options })
      : await browser.newContext(options);
    const person = new Person();
    Object.assign(person, { context, hasAxe, complaints: [],
      name: `${language}-${size}-${scheme}` });
    person.page = await context.newPage();
    person.page.setDefaultTimeout(20_000);
    person.page.on('request', (request) => {
      if (!request.url().startsWith(root) && !request.url().startsWith('blob:')) {
        person.complaints.push(`asks elsewhere: ${request.url()}`);
      }
    });
    person.page.on('pageerror', (error) => person.complaints.push(error.message));
    person.page.on('console', (message) => {
      if (message.type() === 'error') person.complaints.push(message.text());
    });
    return person;
  }

  async end() {
    await this.context.close();
    assert.deepEqual(this.complaints, []);
  }

  // Into the demo as one of its people, through their link on the demo's page.
  async enter(login) {
    const key = process.env.CARNET_DEMO_KEY;
    await this.page.goto('about:blank');
    await this.page.goto(`${root}/#/demo/${key}`);
    const people = await this.page.evaluate(async (secret) => {
      const body = new URLSearchParams({ key: secret });
      return (await (await fetch('auth/demo', { method: 'POST', body })).json()).people;
    }, key);
    const nth = people.findIndex((person) => person.login === login);
    await this.page.locator('.doors a').nth(nth).click();
    await this.page.waitForFunction(() =>
      /^#\/(?!demo|enter)/.test(location.hash) && !location.search);
    await this.settled();
  }

  async settled() {
    await this.page.waitForFunction(() =>
      document.querySelector('h1') && !document.querySelector('.waiting'));
  }

  async open(hash) {
    await this.page.evaluate((to) => { location.hash = to; }, hash);
    await this.page.waitForFunction((to) => location.hash === to, hash);
    await this.page.evaluate(() => new Promise((done) => { setTimeout(done, 50); }));
    await this.settled();
  }

  // Holds a page to what every page is held to, and keeps a picture of it.
  async look(name) {
    await this.settled();
    if (shots) {
      mkdirSync(shots, { recursive: true });
      await this.page.screenshot({ path: join(shots, `${name}-${this.name}.png`), fullPage: true });
    }
    const wide = await this.page.evaluate(() =>
      document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name}-${this.name}: ${wide} pixels too wide`);
    if (this.hasAxe && !isShort) await this.axe(name);
  }

  async axe(name) {
    if (!await this.page.evaluate(() => 'axe' in globalThis)) await this.page.evaluate(axe);
    const found = await this.page.evaluate((values) =>
      globalThis.axe.run(document, { runOnly: values }), rules);
    const wrong = found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(' ')}`);
    assert.deepEqual(wrong, [], `${name}-${this.name}`);
    assert.ok(found.passes.length > 10, 'axe looked at something');
  }

  async text() {
    return this.page.locator('main').innerText();
  }
}
