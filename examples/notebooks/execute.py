"""Execute a notebook without Jupyter: python3 execute.py NOTEBOOK [--output FILE]

Runs the code cells in order in one namespace and writes their outputs into the notebook, or into FILE.
What a cell prints, the value of its last line and its matplotlib figures are kept. Needs nothing but
what the notebook imports.
"""

import argparse
import ast
import base64
import contextlib
import io
import json
import os
import sys
from pathlib import Path


def run_cell(source, namespace):
    """Execute one cell; the list of its outputs as nbformat has them."""
    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    value = None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, "<cell>", "exec"), namespace)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace)
    outputs = []
    if printed.getvalue():
        outputs.append({"output_type": "stream", "name": "stdout", "text": lines(printed.getvalue())})
    pictures = figures()
    if value is not None and not pictures:
        data = {"text/plain": lines(repr(value))}
        if hasattr(value, "to_html"):
            data["text/html"] = lines(value.to_html())
        outputs.append({
            "output_type": "execute_result", "data": data, "metadata": {}, "execution_count": None,
        })
    return outputs + [
        {"output_type": "display_data", "data": {"image/png": one}, "metadata": {}}
        for one in pictures
    ]


def lines(text):
    return text.splitlines(keepends=True)


def figures():
    """The open figures of matplotlib as base64 PNG; they are closed."""
    plt = sys.modules.get("matplotlib.pyplot")
    if plt is None:
        return []
    pictures = []
    for number in plt.get_fignums():
        buffer = io.BytesIO()
        plt.figure(number).savefig(buffer, format="png", dpi=72, bbox_inches="tight")
        pictures.append(base64.b64encode(buffer.getvalue()).decode())
    plt.close("all")
    return pictures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    notebook = json.loads(options.notebook.read_text(encoding="utf-8"))
    output = (options.output or options.notebook).resolve()
    os.environ["MPLBACKEND"] = "Agg"
    os.chdir(options.notebook.resolve().parent)
    namespace = {"__name__": "__main__"}
    count = 0
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        count += 1
        cell["execution_count"] = count
        cell["outputs"] = run_cell("".join(cell["source"]), namespace)
        for one in cell["outputs"]:
            if one["output_type"] == "execute_result":
                one["execution_count"] = count
    output.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
