import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  describeAddress,
  parseRedisUrl,
  urlWithoutPassword,
} from "../../../scheduler/queue/url.ts";

const LOCAL = {
  host: "localhost",
  port: 6379,
  database: 0,
  username: null,
  password: null,
  isTls: false,
  tlsCa: null,
};

const URLS: readonly [string, object][] = [
  ["redis://localhost", {}],
  ["redis://localhost:7000/3", { port: 7000, database: 3 }],
  ["redis://:Wsr123@10.0.0.5:6379/0", { host: "10.0.0.5", password: "Wsr123" }],
  ["redis://10.0.0.5:6379/0?password=Wsr123", { host: "10.0.0.5", password: "Wsr123" }],
  ["redis://ann:secret@localhost/2", { username: "ann", password: "secret", database: 2 }],
  ["redis://localhost?username=ann&password=p&db=4", {
    username: "ann",
    password: "p",
    database: 4,
  }],
  ["rediss://:p@redis.example.org", { host: "redis.example.org", password: "p", isTls: true }],
  ["redis://[::1]:6380/1", { host: "::1", port: 6380, database: 1 }],
  ["redis://:a%40b%2Fc@localhost", { password: "a@b/c" }],
  ["redis://:100%@localhost", { password: "100%" }],
];

for (const [url, expected] of URLS) {
  Deno.test(`parseRedisUrl() reads ${url}`, () => {
    assertEquals(parseRedisUrl(url), { ...LOCAL, ...expected });
  });
}

Deno.test("parseRedisUrl() takes the option's password only where the URL has none", () => {
  const options = { password: "from file" };
  assertEquals(parseRedisUrl("redis://localhost", options).password, "from file");
  assertEquals(parseRedisUrl("redis://:mine@localhost", options).password, "mine");
});

/** Passwords as people have them: used as they are, or refused with the way to write them. */
const PASSWORDS: readonly (readonly [password: string, inAuthority: string, inQuery: string])[] = [
  ["a%b=c", "taken", "taken"],
  ["100%[x]", "taken", "taken"],
  ["sJ3RA+YQ=", "taken", "taken"],
  ["57#Wc903z", "%23", "%23"],
  ["p@ss", "taken", "taken"],
  ["a/b", "%2F", "taken"],
  ["x y", "taken", "taken"],
  ["ü", "taken", "taken"],
  ["%41", "%25", "%25"],
  ["a%40b%zz", "%25", "%25"],
  ["a?b", "%3F", "taken"],
  ["a&b", "taken", "%26"],
  [":", "taken", "taken"],
];

function readPassword(url: string): string {
  try {
    return parseRedisUrl(url).password ?? "none";
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

for (const [password, inAuthority, inQuery] of PASSWORDS) {
  Deno.test(`parseRedisUrl() takes the password ${password} as it is, or says how to write it`, () => {
    const forms = [
      [`redis://:${password}@localhost:6379/0`, inAuthority],
      [`redis://ann:${password}@localhost`, inAuthority],
      [`redis://localhost:6379/0?password=${password}`, inQuery],
    ] as const;
    for (const [url, expected] of forms) {
      const read = readPassword(url);
      if (expected === "taken") assertEquals(read, password, url);
      else {
        assertStringIncludes(read, expected);
        assertEquals(read.includes(`${password}@`) || read.endsWith(password), false, read);
      }
    }
    const address = parseRedisUrl("redis://localhost", { password });
    assertEquals([address.password, describeAddress(address)], [password, "localhost:6379/0"]);
    const encoded = `redis://:${encodeURIComponent(password)}@localhost`;
    assertEquals(readPassword(encoded), password);
    assertEquals(urlWithoutPassword(parseRedisUrl(encoded)), "redis://localhost:6379/0");
  });
}

const BAD: readonly [string, string][] = [
  ["localhost:6379", "a URL like"],
  ["http://localhost", "redis:// or rediss://"],
  ["secret", "a URL like"],
  ["redis://", "a host"],
  ["redis://localhost/zero", "a database number"],
  ["redis://user:with/slash@localhost/0", "is required"],
  ["redis://localhost?pasword=x", "no parameter but password"],
];

for (const [url, message] of BAD) {
  Deno.test(`parseRedisUrl() refuses ${url}`, () => {
    assertThrows(() => parseRedisUrl(url), RangeError, message);
  });
}

Deno.test("parseRedisUrl() gives back any password that was encoded, and no error shows it", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (password) => {
    const encoded = encodeURIComponent(password);
    const address = parseRedisUrl(`redis://:${encoded}@localhost`);
    assertEquals(address.password, password);
    assertEquals(describeAddress(address), "localhost:6379/0");
    if (password.length < 8) return;
    try {
      parseRedisUrl(`redis://:${encoded}@localhost/x`);
    } catch (error) {
      assertEquals(error instanceof RangeError && !error.message.includes(password), true);
    }
  }));
});
