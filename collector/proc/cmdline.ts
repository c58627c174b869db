/**
 * proc_pid_cmdline(5): the arguments of a process, each ended by a NUL byte. Pure.
 *
 * @module
 */

/** The arguments in `text`; a program may have overwritten them with one title without NUL bytes. */
export function parseCmdline(text: string): string[] {
  const words = text.split("\0");
  while (words.at(-1) === "") words.pop();
  return words;
}

/** Replaces a secret. */
const REDACTED = "***";

const SECRET_NAME = /pass(word|wd|phrase)?|secret|token|credential|api[-_]?key|auth/i;

/**
 * `argv` without what is likely to be a secret: the value of a flag or a variable whose name says so, and
 * the user part of a URL. A rule of words: it can miss a secret, and hide what is none.
 */
export function redactArguments(argv: readonly string[]): string[] {
  return argv.map((word, at) => {
    const before = argv[at - 1] ?? "";
    const isValue = /^--?[\w-]+$/.test(before) && SECRET_NAME.test(before) && !word.startsWith("-");
    if (isValue) return REDACTED;
    const [, name, separator] = /^(-{0,2}[\w.-]+)(=)/.exec(word) ?? [];
    if (name !== undefined && SECRET_NAME.test(name)) return `${name}${separator}${REDACTED}`;
    return word.replace(/(\w:\/\/)[^/@\s]*@/, `$1${REDACTED}@`);
  });
}
