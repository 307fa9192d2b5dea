// Opens a report page in headless Chromium, narrow and wide, light and dark, and looks for what a reader would stumble over:
// console errors, requests to anywhere, sideways scrolling, and serious or critical findings of axe-core. Also takes screenshots.
//
//     run.sh REPORT.html [SCREENSHOT_FOLDER]
//
// Prints a line a view, what failed under it, and a last line `N passed, M failed`. Exit status 1 on any failure.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.env.WORDWAVE_BROWSER_MODULES, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const WIDTHS = [400, 1400];
const SCHEMES = ["light", "dark"];
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
  if (folder) await page.screenshot({ path: join(folder, `report-${width}-${colorScheme}.png`), fullPage: true });
  await context.close();
  return { failures, background };
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
  } finally {
    await browser.close();
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

await main();
