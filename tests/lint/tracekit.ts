/**
 * House rules that a program can check, as a plugin of `deno lint`. It lies below tests/ because only
 * the gate needs it: no role loads it.
 */

import { plainWordProblems } from "./plain_words.ts";
import { PURE_FILES } from "./pure_files.ts";

const ROOT = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/** `filename` relative to the repository. */
function placeOf(filename: string): string {
  const path = filename.startsWith("file://") ? new URL(filename).pathname : filename;
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
}

function isBelow(filename: string, folders: readonly string[]): boolean {
  return folders.includes(placeOf(filename).split("/", 1)[0] ?? "");
}

function isName(node: Deno.lint.Node | null | undefined, name: string): boolean {
  return node?.type === "Identifier" && node.name === name;
}

function isFunction(
  node: Deno.lint.Node,
): node is Deno.lint.ArrowFunctionExpression | Deno.lint.FunctionExpression {
  return node.type === "ArrowFunctionExpression" || node.type === "FunctionExpression";
}

/** The name behind the dot in `object.name`. */
function memberName(node: Deno.lint.MemberExpression): string | null {
  return !node.computed && node.property.type === "Identifier" ? node.property.name : null;
}

/** Arguments, environment, exit and console belong to the files that are run. */
const sideEffectsInTasks: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    if (isBelow(context.filename, ["tasks", "tests"])) return {};
    const forbidden = ["args", "env", "exit", "exitCode"];
    return {
      MemberExpression(node): void {
        const name = memberName(node) ?? "";
        if (isName(node.object, "console")) {
          context.report({
            node,
            message: `console.${name} outside tasks/`,
            hint: "Take a report callback as a parameter.",
          });
        } else if (isName(node.object, "Deno") && forbidden.includes(name)) {
          context.report({
            node,
            message: `Deno.${name} outside tasks/`,
            hint: "Take the value as a parameter.",
          });
        }
      },
    };
  },
};

/** A clock, randomness or I/O in a file that is declared pure. */
const pureFiles: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    if (!PURE_FILES.includes(placeOf(context.filename))) return {};
    const impureCalls = ["fetch", "setTimeout", "setInterval", "queueMicrotask"];
    const impureObjects = ["Deno", "performance", "crypto", "console"];
    function report(node: Deno.lint.Node, what: string): void {
      context.report({
        node,
        message: `${what} in a pure file`,
        hint: "Take the value as a parameter, or move the caller elsewhere.",
      });
    }
    return {
      MemberExpression(node): void {
        const name = memberName(node) ?? "";
        for (const object of impureObjects) {
          if (isName(node.object, object)) report(node, `${object}.${name}`);
        }
        if (isName(node.object, "Date") && name === "now") report(node, "Date.now");
        if (isName(node.object, "Math") && name === "random") report(node, "Math.random");
      },
      NewExpression(node): void {
        if (isName(node.callee, "Date") && node.arguments.length === 0) report(node, "new Date()");
      },
      CallExpression(node): void {
        const name = impureCalls.find((one) => isName(node.callee, one));
        if (name !== undefined) report(node, name);
      },
    };
  },
};

const CAUGHT_HINT =
  "Check its class and throw what you did not expect: if (!(error instanceof X)) throw error;";

/** A catch that is being walked through. */
interface OpenCatch {
  readonly clause: Deno.lint.CatchClause;
  /** Name of the caught error; null: it is not named. */
  readonly error: string | null;
  /** True once its class was asked for, or it was passed on. */
  isHandled: boolean;
}

/** A caught error is classified, thrown again, or thrown on as the cause of another. */
const caughtErrors: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    const open: OpenCatch[] = [];
    function handled(node: Deno.lint.Node | null | undefined): void {
      for (const one of open) {
        if (one.error !== null && isName(node, one.error)) one.isHandled = true;
      }
    }
    function problemWith({ clause, error, isHandled }: OpenCatch): string | null {
      if (clause.body.body.length === 0) return "An empty catch hides every error";
      if (error === null) return "A catch without its error hides every error";
      return isHandled ? null : "A caught error of any class is treated alike";
    }
    return {
      CatchClause(node): void {
        const error = node.param?.type === "Identifier" ? node.param.name : null;
        open.push({ clause: node, error, isHandled: false });
      },
      BinaryExpression(node): void {
        if (node.operator === "instanceof") handled(node.left);
      },
      ThrowStatement(node): void {
        const thrown = node.argument;
        handled(thrown);
        if (thrown.type === "LogicalExpression") handled(thrown.right);
      },
      Property(node): void {
        if (isName(node.key, "cause")) handled(node.value);
      },
      CallExpression(node): void {
        const method = node.callee.type === "MemberExpression" ? memberName(node.callee) : null;
        if (isName(node.callee, "reject") || method === "reject") handled(node.arguments[0]);
        const handler = node.arguments[0];
        if (method !== "catch" || handler === undefined || !isFunction(handler)) return;
        if (handler.params.length > 0) return;
        context.report({
          node: handler,
          message: "catch() without its error hides every error",
          hint: CAUGHT_HINT,
        });
      },
      "CatchClause:exit"(): void {
        const one = open.pop();
        const message = one === undefined ? null : problemWith(one);
        if (one === undefined || message === null) return;
        context.report({ node: one.clause, message, hint: CAUGHT_HINT });
      },
    };
  },
};

/** A name at the import is the name at the export. */
const noDefaultExport: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    return {
      ExportDefaultDeclaration(node): void {
        context.report({ node, message: "A default export", hint: "Export it by its name." });
      },
    };
  },
};

/** A function of a module is declared with `function`. */
const topLevelFunctions: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    return {
      "Program > VariableDeclaration, Program > ExportNamedDeclaration > VariableDeclaration"(
        node: Deno.lint.VariableDeclaration,
      ): void {
        for (const { init } of node.declarations) {
          if (!init || !isFunction(init)) continue;
          context.report({
            node: init,
            message: "A function as a constant of the module",
            hint: "Declare it: function name() {}",
          });
        }
      },
    };
  },
};

/** `f(path, true)` says nothing at the call: a switch is an option with a name. */
const noBooleanPositional: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    function check(parameters: readonly Deno.lint.Parameter[]): void {
      for (const parameter of parameters) {
        const target = parameter.type === "AssignmentPattern" ? parameter.left : parameter;
        const type = target.type === "Identifier" ? target.typeAnnotation?.typeAnnotation : null;
        const isDefault = parameter.type === "AssignmentPattern" &&
          parameter.right.type === "Literal" && typeof parameter.right.value === "boolean";
        if (type?.type !== "TSBooleanKeyword" && !isDefault) continue;
        context.report({
          range: parameter.range,
          message: "A positional parameter that is true or false",
          hint: "Make it a field of an options object.",
        });
      }
    }
    return {
      FunctionDeclaration(node): void {
        check(node.params);
      },
      MethodDefinition(node): void {
        if (node.kind !== "set") check(node.value.params);
      },
    };
  },
};

/** Comments and strings are plain technical English: see `plain_words.ts`. */
const plainWords: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    // The list itself, and the tests of it.
    if (placeOf(context.filename).startsWith("tests/lint/")) return {};
    function check(text: string, range: Deno.lint.Range): void {
      for (const problem of plainWordProblems(text)) {
        context.report({ range, message: `Not plain English: ${problem}` });
      }
    }
    return {
      Program(): void {
        for (const { value, range } of context.sourceCode.getAllComments()) check(value, range);
      },
      Literal(node): void {
        if (typeof node.value === "string") check(node.value, node.range);
      },
      TemplateElement(node): void {
        check(node.cooked, node.range);
      },
    };
  },
};

/** Longest function, lines: what is longer has parts that deserve a name. */
const FUNCTION_LINES_MAX = 80;

/** A function that a reader cannot see at once. In tests a callback is a list of steps: no limit there. */
const functionLength: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    if (isBelow(context.filename, ["tests"])) return {};
    function check(node: Deno.lint.Node): void {
      const lines = context.sourceCode.getText(node).split("\n").length;
      if (lines <= FUNCTION_LINES_MAX) return;
      context.report({
        node,
        message: `A function of ${lines} lines`,
        hint: `At most ${FUNCTION_LINES_MAX}: give its parts names of their own.`,
      });
    }
    return {
      FunctionDeclaration: check,
      FunctionExpression: check,
      ArrowFunctionExpression: check,
    };
  },
};

/** The plugin. */
const plugin: Deno.lint.Plugin = {
  name: "tracekit",
  rules: {
    "side-effects-in-tasks": sideEffectsInTasks,
    "pure-files": pureFiles,
    "caught-errors": caughtErrors,
    "no-default-export": noDefaultExport,
    "top-level-functions": topLevelFunctions,
    "no-boolean-positional": noBooleanPositional,
    "plain-words": plainWords,
    "function-length": functionLength,
  },
};

// deno-lint-ignore tracekit/no-default-export -- deno lint asks for a plugin as the default export
export default plugin;
