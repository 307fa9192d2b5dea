// Opens a report page in headless Chromium, narrow and wide, light and dark, and looks for what a reader would stumble over:
// console errors, requests to anywhere, sideways scrolling, and serious or critical findings of axe-core. Then uses it: tables are sorted
// and filtered, a heat map is walked through by keyboard, recordings are decoded, labels are held against each other, and it is printed.
// Also takes screenshots.
//
//     run.sh REPORT.html [SCREENSHOT_FOLDER]
//
// Prints a line a view, what failed under it, and a last line `N passed, M failed`. Exit status 1 on any failure.

import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.WORDWAVE_BROWSER_MODULES, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [400, 1400];
const SCHEMES = ["light", "dark"];
const MOST_BYTES = 5_000_000;
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** The elements that reach past the right edge, outermost first, as far as they cause the page's own scrolling. */
function overflow() {
  const root = document.scrollingElement;
  if (root.scrollWidth <= innerWidth) return [];
  const names = [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
    .slice(0, 5)
    .map((element) => element.tagName.toLowerCase() + (element.id ? `#${element.id}` : "") + (element.className?.baseVal === undefined && element.className ? `.${element.className}` : ""));
  return [`scrolls sideways: ${root.scrollWidth} px wide in ${innerWidth}: ${names.join(", ")}`];
}

/** What axe-core finds of serious or critical weight, with the first places. */
async function accessibility(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"], preload: false }));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, impact, help, nodes }) => `axe ${impact}: ${id} (${help}), ${nodes.length} places, such as ${nodes.slice(0, 3).map((n) => n.target.join(" ")).join(" | ")}`);
}

/** Sorts a table by its first numeric column, twice, and looks whether the rows follow. */
function sorting() {
  const table = [...document.querySelectorAll("table.sortable")].find((table) => table.querySelector("thead th.num button") && table.tBodies[0].rows.length > 2);
  if (!table) return [];
  const head = table.querySelector("thead th.num");
  const keys = () => [...table.tBodies[0].rows].map((row) => row.cells[head.cellIndex].dataset.v).filter((key) => key !== undefined).map(Number);
  const failures = [];
  for (const way of ["descending", "ascending"]) {
    head.querySelector("button").click();
    const sign = way === "ascending" ? 1 : -1;
    if (head.getAttribute("aria-sort") !== way) failures.push(`a click does not sort ${way}`);
    if (keys().some((key, i, all) => i > 0 && sign * (key - all[i - 1]) < 0)) failures.push(`rows are not in ${way} order`);
  }
  return failures;
}

/** Types into every filter: rows without the text go, and come back. */
function filtering() {
  const failures = [];
  for (const input of document.querySelectorAll(".filter input")) {
    const body = input.closest(".filter").nextElementSibling.querySelector("tbody");
    const wanted = body.rows[0].cells[0].textContent.trim().slice(0, 6).toLowerCase();
    input.value = wanted;
    input.dispatchEvent(new Event("input"));
    const wrong = [...body.rows].some((row) => row.hidden === row.textContent.toLowerCase().includes(wanted));
    input.value = "";
    input.dispatchEvent(new Event("input"));
    if (wrong || [...body.rows].some((row) => row.hidden)) failures.push(`a filter for ${wanted} shows other rows`);
  }
  const long = [...document.querySelectorAll("table.sortable")].filter((table) => table.tBodies[0].rows.length >= 10);
  const without = long.filter((table) => !table.parentElement.previousElementSibling?.matches(".filter"));
  return [...failures, ...without.map((table) => `no filter for ${table.caption?.textContent}`)];
}

/** Words over pictures and on maps that lie over each other. */
function collisions() {
  const failures = [];
  for (const root of document.querySelectorAll("svg.map, .over")) {
    const boxes = [...root.querySelectorAll("text.word, span")].map((word) => [word.textContent, word.getBoundingClientRect()]);
    boxes.forEach(([a, one], i) => boxes.slice(i + 1).forEach(([b, other]) => {
      // A picture's words share a row or not: rows touch, and a pixel is no collision.
      const x = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const y = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      if (x > 1 && y > 2) failures.push(`${a} lies over ${b}`);
    }));
  }
  return failures.slice(0, 5);
}

/** Whether each recording can be played: its length is known once it is decoded. */
async function recordings() {
  const players = [...document.querySelectorAll("audio")];
  const length = (player) => new Promise((done) => {
    if (player.readyState > 0) return done(player.duration);
    player.addEventListener("loadedmetadata", () => done(player.duration));
    player.addEventListener("error", () => done(0));
    player.load();
  });
  const lengths = await Promise.all(players.map(length));
  return lengths.map((seconds, i) => (seconds > 0 ? "" : `${players[i].getAttribute("aria-label")} cannot be played`)).filter(Boolean);
}

/** Walks through the first heat map by keyboard: each step shows the cell's numbers, and Escape hides them. */
async function keyboard(page) {
  const first = page.locator('table[data-tips] td[tabindex="0"]').first();
  if ((await first.count()) === 0) return [];
  await first.focus();
  const tip = () => page.evaluate(() => { const tip = document.getElementById("tip"); return tip.hidden ? "" : tip.textContent; });
  const before = await tip();
  await page.keyboard.press("ArrowRight");
  const after = await tip();
  await page.keyboard.press("Escape");
  const failures = [];
  if (!before) failures.push("a cell with the focus shows nothing");
  if (!after || after === before) failures.push("an arrow key leads nowhere");
  if (!/interval|no correlation/.test(before + after)) failures.push("a cell does not tell its interval");
  if (await tip()) failures.push("Escape does not hide what a cell shows");
  return failures;
}

/** The page as it is printed, on paper 190 mm wide between its margins. */
async function printing(page) {
  await page.setViewportSize({ width: 718, height: 1000 });
  await page.emulateMedia({ media: "print" });
  const failures = await page.evaluate(overflow);
  const sheets = (await page.pdf({ format: "A4" })).length;
  await page.emulateMedia({ media: "screen" });
  return sheets > 0 ? failures.map((failure) => `printed: ${failure}`) : ["nothing is printed"];
}

/** Opens the page once and returns the failures of each check. */
async function look(browser, address, width, colorScheme, folder) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
  const page = await context.newPage();
  const errors = [];
  const requests = [];
  page.on("console", (message) => message.type() === "error" && errors.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
  page.on("request", (request) => {
    const url = request.url();
    if (url.split("#")[0] !== address && !/^(data|blob):/.test(url)) requests.push(`request: ${url.slice(0, 200)}`);
  });
  await page.goto(address, { waitUntil: "load", timeout: 60_000 });
  // To the end and back, so that what appears on scrolling does.
  await page.evaluate(async () => {
    for (let y = 0; y < document.scrollingElement.scrollHeight; y += innerHeight) {
      scrollTo(0, y);
      await new Promise(requestAnimationFrame);
    }
    scrollTo(0, 0);
  });
  const text = await page.evaluate(() => document.body.innerText.trim().length);
  const background = await page.evaluate(() => [document.body, document.documentElement].map((e) => getComputedStyle(e).backgroundColor).find((c) => c !== "rgba(0, 0, 0, 0)") ?? "");
  const failures = {
    errors,
    requests,
    overflow: await page.evaluate(overflow),
    accessibility: await accessibility(page),
    content: text > 0 ? [] : ["the page has no text"],
  };
  failures.collisions = await page.evaluate(collisions);
  if (folder) await page.screenshot({ path: join(folder, `report-${width}-${colorScheme}.png`), fullPage: true });
  await context.close();
  return { failures, background };
}

/** Uses the page as a reader does. */
async function use(browser, address) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  await page.goto(address, { waitUntil: "load", timeout: 60_000 });
  const failures = [
    await page.evaluate(sorting),
    await page.evaluate(filtering),
    await page.evaluate(recordings),
    await keyboard(page),
    await printing(page),
  ];
  await context.close();
  return failures;
}

async function main() {
  const [report, folder] = process.argv.slice(2);
  if (!report || !existsSync(report)) {
    console.error(report ? `${report} is not there` : "usage: run.sh REPORT.html [SCREENSHOT_FOLDER]");
    process.exit(64);
  }
  if (folder) mkdirSync(folder, { recursive: true });
  const address = pathToFileURL(resolve(report)).href;
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGUMENTS });
  let passed = 0;
  let failed = 0;
  const line = (heading, failures) => {
    console.log(`${heading.padEnd(20)} ${failures.flat().length ? "FAILED" : "ok"}`);
    failures.flat().forEach((message) => console.log(`    ${message}`));
    passed += failures.filter((messages) => messages.length === 0).length;
    failed += failures.filter((messages) => messages.length > 0).length;
  };
  try {
    for (const width of WIDTHS) {
      const backgrounds = [];
      for (const scheme of SCHEMES) {
        const { failures, background } = await look(browser, address, width, scheme, folder);
        backgrounds.push(background);
        line(`${width} px, ${scheme}`, Object.values(failures));
      }
      line(`${width} px, schemes`, [backgrounds[0] !== backgrounds[1] ? [] : [`light and dark have the same background: ${backgrounds[0] || "none"}`]]);
    }
    line("in use", await use(browser, address));
    const bytes = statSync(report).size;
    line(`${(bytes / 1e6).toFixed(2)} MB`, [bytes < MOST_BYTES ? [] : ["the page is 5 MB or more"]]);
  } finally {
    await browser.close();
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

await main();
