/** Parts of a Markdown document. */

/** Contents of the code blocks in one of `languages`, in order. */
export function blocksOf(markdown: string, languages: readonly string[]): string[] {
  return [...markdown.matchAll(/^ *```(\w+)\n(.*?)^ *```/gms)]
    .filter(([, language = ""]) => languages.includes(language))
    .map(([, , block = ""]) => block);
}

/** Anchors of the headings, as forges make them: lower case, spaces as hyphens, no punctuation. */
export function headingsOf(markdown: string): string[] {
  const text = markdown.replaceAll(/^```.*?^```/gms, "");
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-")
  );
}
