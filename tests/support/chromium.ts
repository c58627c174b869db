/** Debian's Chromium, headless, for pages of ours. */

import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Where Debian's package has it. */
export const CHROMIUM = "/usr/bin/chromium";

/** A browser with a profile of its own that reaches no network. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How a page is opened. */
export interface PageOptions {
  /** CSS pixels. Default 1280. */
  readonly width?: number;
  /** CSS pixels. Default 900. */
  readonly height?: number;
  /** Default: light. */
  readonly scheme?: "light" | "dark";
  /** How long the page may take to load, ms. Default 30 s. */
  readonly timeoutMs?: number;
}

/** A page, and what it complained of. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console, of scripts and of the page's policy, so far. */
  readonly errors: string[];
}

/** A browser; leaving its block ends it and removes its profile. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Start it. */
  static async start(): Promise<TestBrowser> {
    return new TestBrowser(
      await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS, chromiumSandbox: false }),
    );
  }

  /** Open the file `path`. */
  async open(
    path: string,
    { width = 1280, height = 900, scheme = "light", timeoutMs = 30_000 }: PageOptions = {},
  ): Promise<OpenPage> {
    const context: BrowserContext = await this.#browser.newContext({
      viewport: { width, height },
      colorScheme: scheme,
      acceptDownloads: true,
      reducedMotion: "reduce",
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(`file://${path}`, { timeout: timeoutMs });
    return { page, errors, [Symbol.asyncDispose]: () => context.close() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }
}
