/**
 * Words that a reader from the field would stumble over, and what to write instead. The lint plugin checks
 * comments and strings of TypeScript, a test checks documents, Lua, shell and Python.
 */

/** A wording to avoid. */
interface PlainWord {
  /** What is found; matched in text whose line breaks are single spaces. */
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly instead: string;
}

/** The list. Each entry is dialect, poetic, or another word for what the field has a word for. */
const PLAIN_WORDS: readonly PlainWord[] = [
  avoid(/\b(not )?(to|can|could) be had\b/, "available, unavailable"),
  avoid(
    /(?<!there )\b(is|are|was|were) no (task|record|Redis|result|failure|number|list|object|row)s?\b/,
    "is not a …",
  ),
  avoid(/\bas yet\b/, "yet, so far"),
  avoid(/\bfor ever\b/, "without end, permanently"),
  avoid(/\bagain and again\b/, "repeatedly"),
  avoid(/\banew\b/, "again, new"),
  avoid(/\bto be believed\b/, "reliable, correct"),
  avoid(/\btalks?\b/, "log messages, writes"),
  avoid(
    /\b(an?|the|each|first|two|of|some|one|last|next|every|other|few|more|this|with|many|between) looks?\b/,
    "poll, check, reading",
  ),
  avoid(/\bmend(s|ed|ing)?\b/, "fix, repair"),
  avoid(/\bmakes? known\b/, "reports, tells, registers"),
  avoid(/\bwrong use\b/, "usage error"),
  avoid(/\bfor want of\b/, "because … is missing"),
  avoid(/\bin place of\b/, "instead of"),
  avoid(/\b(go|goes|going|went|gone) on\b/, "continue"),
  avoid(/\b(?<!under)stand(s|ing)?\b(?! (for|by|in for)\b)(?!-)/, "is, are, exists"),
  avoid(/\b(?<!under)stood\b(?! (for|by)\b)/, "was, were"),
  avoid(/\blies?\b/, "is, are"),
  avoid(
    /\b(heed|upon|vouch(es)?|nought|thereof|wherein|whereby|behold|lest|ere|beget|bids?|shall)\b/,
    "a plain word",
  ),
  avoid(/\bpass(es|ed|ing) over\b/, "skip, ignore"),
  avoid(/\blast words\b/, "last lines"),
  avoid(/\bslip of the pen\b/, "typing error"),
  avoid(/\bbe it\b/, "whether"),
];

function avoid(pattern: RegExp, instead: string): PlainWord {
  return { pattern: new RegExp(pattern.source, "i"), instead };
}

/** What of the list is in `text`: the words found and what to write instead. */
export function plainWordProblems(text: string): string[] {
  const line = text.replaceAll(/\s*\n\s*(?:\*|\/\/|--|#|\/\/\/)?\s*/g, " ");
  return PLAIN_WORDS.flatMap(({ pattern, instead }) => {
    const found = pattern.exec(line);
    return found === null ? [] : [`"${found[0]}": ${instead}`];
  });
}
