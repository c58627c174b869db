// The part of @std/assert that this project uses; its npm form ships without declarations.

// deno-lint-ignore no-explicit-any -- any class can be named as the one expected
type ErrorClass<E extends Error> = new (...args: any[]) => E;

export class AssertionError extends Error {}
export function assert(condition: unknown, message?: string): asserts condition;
export function assertEquals<T>(actual: T, expected: T, message?: string): void;
export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
export function assertStrictEquals<T>(actual: unknown, expected: T, message?: string): void;
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void;
export function assertGreater<T>(actual: T, expected: T, message?: string): void;
export function assertGreaterOrEqual<T>(actual: T, expected: T, message?: string): void;
export function assertLess<T>(actual: T, expected: T, message?: string): void;
export function assertLessOrEqual<T>(actual: T, expected: T, message?: string): void;
export function assertExists<T>(actual: T, message?: string): asserts actual is NonNullable<T>;
export function assertMatch(actual: string, expected: RegExp, message?: string): void;
export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;
export function assertStringIncludes(actual: string, expected: string, message?: string): void;
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  message?: string,
): void;
export function assertObjectMatch(
  actual: Record<PropertyKey, unknown>,
  expected: Record<PropertyKey, unknown>,
  message?: string,
): void;
export function assertInstanceOf<E>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any -- any class can be named as the one expected
  expected: abstract new (...args: any[]) => E,
  message?: string,
): asserts actual is E;
export function assertThrows(run: () => unknown): unknown;
export function assertThrows<E extends Error>(
  run: () => unknown,
  errorClass: ErrorClass<E>,
  messageIncludes?: string,
): E;
export function assertRejects(run: () => PromiseLike<unknown>): Promise<unknown>;
export function assertRejects<E extends Error>(
  run: () => PromiseLike<unknown>,
  errorClass: ErrorClass<E>,
  messageIncludes?: string,
): Promise<E>;
export function fail(message?: string): never;
export function unreachable(message?: string): never;
