/** `cat /proc/self/cgroup`, started into the v2 group that is given, as where clone3(2) is filtered away. */

import { CloneStarter } from "../../adapter/start/clone_starter.ts";
import { StartCalls } from "../../adapter/start/start_calls.ts";
import { ERRNO } from "../../trace/linux/errno.ts";
import { PLAIN_PLAN } from "../../adapter/start/spawn_plan.ts";
import { openClock } from "../../trace/clock.ts";

/** The library with one fault: the first spawn, which is by clone3, is refused as a filter refuses it. */
function filtered(libc: StartCalls): StartCalls {
  let isFirst = true;
  return new Proxy(libc, {
    get(target, name): unknown {
      if (name === "spawn" && isFirst) {
        isFirst = false;
        return () => -ERRNO.ENOSYS;
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const libc = StartCalls.open();
if (!(libc instanceof StartCalls)) throw new Error(libc.missing);
using clock = openClock();
const { exit } = new CloneStarter(filtered(libc), clock).start({
  ...PLAIN_PLAN,
  program: "/bin/cat",
  argv: ["cat", "/proc/self/cgroup"],
  env: {},
  cgroup: Deno.args[0] ?? "",
});
await exit;
