/** Sections of CHANGELOG.md, which has the form of keepachangelog.com. */

/** Heading of the section of what is not released yet. */
const UNRELEASED = "## [Unreleased]";

/**
 * The text of one section, without its heading.
 *
 * @throws {RangeError} when the changelog has no such section, or an empty one.
 */
export function sectionOf(changelog: string, version: string): string {
  const heading = version === "Unreleased" ? UNRELEASED : `## [${version}] - `;
  const lines = changelog.split("\n");
  const first = lines.findIndex((line) => line.startsWith(heading));
  if (first < 0) throw new RangeError(`CHANGELOG.md has no section ${version}`);
  const length = lines.slice(first + 1).findIndex((line) => line.startsWith("## "));
  const last = length < 0 ? lines.length : first + 1 + length;
  const text = lines.slice(first + 1, last).join("\n").trim();
  if (text === "") throw new RangeError(`the section ${version} of CHANGELOG.md is empty`);
  return text;
}

/** What a release is called and when it is made. */
export interface ReleaseName {
  /** Version, as semver.org has it. */
  readonly version: string;
  /** Day, `YYYY-MM-DD`. */
  readonly date: string;
}

/** `changelog` with what is unreleased as the section of a version. */
export function withRelease(changelog: string, { version, date }: ReleaseName): string {
  sectionOf(changelog, "Unreleased");
  return changelog.replace(UNRELEASED, `${UNRELEASED}\n\n## [${version}] - ${date}`);
}
