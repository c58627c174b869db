/// <reference lib="dom" />
/**
 * Observable Plot without a browser: options in, a finished SVG out.
 *
 * @module
 */

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

export { Plot };

/** What a picture is called and what it shows, for those who do not see it. */
export interface PictureWords {
  /** Name within the page. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

const { document } = parseHTML("<html></html>");

/** Draw. Colours may be CSS variables of the page that shows the picture. */
export function drawSvg(options: Plot.PlotOptions, words: PictureWords): string {
  const svg = Plot.plot({ ...options, document: document as unknown as Document });
  // Styles are the page's: its policy allows no others.
  for (const style of svg.querySelectorAll("style")) style.remove();
  svg.removeAttribute("class");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-labelledby", `${words.id}-title ${words.id}-desc`);
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
  title.setAttribute("id", `${words.id}-title`);
  title.textContent = words.title;
  const desc = document.createElementNS("http://www.w3.org/2000/svg", "desc");
  desc.setAttribute("id", `${words.id}-desc`);
  desc.textContent = words.description;
  svg.prepend(title as unknown as Node, desc as unknown as Node);
  return svg.outerHTML;
}
