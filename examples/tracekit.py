"""Read the tables of a Tracekit run (`deno task export-tables`) into pandas.

    import tracekit

    run = tracekit.open("logs/20250901T120000Z")
    run.tasks.groupby("profile").wait_ms.median()
    run.columns("tasks")            # type, unit, meaning and source of each column
    run.table("samples", columns=["task_id", "ts_ms", "cpu_ms"])

One file, to be copied beside a notebook. It needs pandas, and one of pyarrow, fastparquet or duckdb to
read Parquet; with none of them it reads the CSV files (`export-tables --format csv` or `both`). The types
are the same in each case: text `object`, whole numbers `Int64` (null is `<NA>`), decimals `float64`,
`boolean`, times `datetime64[ns, UTC]`.
"""

import importlib.util
import json
from pathlib import Path

import pandas

TABLES = (
    "tasks",
    "attempts",
    "samples",
    "processes",
    "nodes",
    "placements",
    "capacity",
    "host",
    "clock",
    "shares",
    "requests",
    "collector",
)


def open(folder):
    """The run in `folder`: a folder with `tables.json`, or a run directory with one in `tables/`.

    Raises FileNotFoundError when there are no tables.
    """
    for candidate in (Path(folder), Path(folder) / "tables"):
        if (candidate / "tables.json").is_file():
            return Run(candidate)
    raise FileNotFoundError(
        f"Cannot open {str(folder)!r}: tables.json is required; run: deno task export-tables"
    )


class Run:
    """A run as tables; each is read when it is first asked for: `run.tasks`, `run.samples`, …"""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.description = json.loads((self.folder / "tables.json").read_text(encoding="utf-8"))
        self.run_id = self.description["run_id"]
        self._read = {}

    def __repr__(self):
        return f"<Run {self.run_id} in {str(self.folder)!r}>"

    def __getattr__(self, name):
        if name not in TABLES:
            raise AttributeError(name)
        if name not in self._read:
            self._read[name] = self.table(name)
        return self._read[name]

    def columns(self, name):
        """Type, unit, meaning and source of each column of a table, by its name."""
        return pandas.DataFrame(self._description(name)["columns"]).set_index("name")

    def table(self, name, columns=None):
        """The table `name`, or only the given columns of it."""
        described = self._description(name)["columns"]
        known = [one["name"] for one in described]
        missing = [one for one in columns or [] if one not in known]
        if missing:
            raise KeyError(f"{name} has no column {missing[0]!r}; it has {', '.join(known)}")
        wanted = list(columns or known)
        frame = _read(self.folder, name, wanted)
        types = {one["name"]: one["type"] for one in described}
        for column in wanted:
            frame[column] = _typed(frame[column], types[column])
        return frame[wanted]

    def _description(self, name):
        for table in self.description["tables"]:
            if table["name"] == name:
                return table
        raise KeyError(f"{str(self.folder)!r} has no table {name!r}")


def _has(module):
    return importlib.util.find_spec(module) is not None


def _read(folder, name, columns):
    parquet = folder / f"{name}.parquet"
    if parquet.is_file() and (_has("pyarrow") or _has("fastparquet")):
        return pandas.read_parquet(parquet, columns=columns)
    if parquet.is_file() and _has("duckdb"):
        import duckdb

        selected = ", ".join(f'"{one}"' for one in columns)
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(
            f"SELECT {selected} FROM read_parquet(?)", [str(parquet)]
        ).df()
    csv = folder / f"{name}.csv"
    if csv.is_file():
        return _read_csv(csv, columns)
    raise FileNotFoundError(
        f"Cannot read {str(parquet)!r}: pyarrow, fastparquet or duckdb is required, or {csv.name} "
        "(deno task export-tables --format both)"
    )


def _read_csv(path, columns):
    # By hand: pandas takes an empty text, which is written as "", for a missing value.
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = _csv_rows(file.read())
    frame = pandas.DataFrame(rows, columns=header, dtype=object)
    return frame[columns]


def _csv_rows(text):
    """RFC 4180; an empty cell is None, a quoted empty one ''."""
    row, cell, at, is_quoted = [], [], 0, False
    while at < len(text):
        char = text[at]
        if char == '"' and not cell and not is_quoted:
            end = at + 1
            while True:
                end = text.index('"', end)
                if text[end + 1 : end + 2] != '"':
                    break
                end += 2
            cell.append(text[at + 1 : end].replace('""', '"'))
            at, is_quoted = end + 1, True
        elif char in ",\n":
            row.append("".join(cell) if cell or is_quoted else None)
            cell, is_quoted = [], False
            at += 1
            if char == "\n":
                yield row
                row = []
        else:
            end = at
            while text[end] not in ",\n":
                end += 1
            cell.append(text[at:end])
            at = end


def _typed(values, kind):
    if kind == "STRING":
        values = values.astype(object)
        return values.where(values.notna(), None)
    if kind == "INT64":
        return _parsed(values, int).astype("Int64")
    if kind == "DOUBLE":
        return _parsed(values, float).astype("float64")
    if kind == "BOOLEAN":
        return values.map({"true": True, "false": False, True: True, False: False}).astype("boolean")
    return pandas.to_datetime(values, utc=True).astype("datetime64[ns, UTC]")


def _parsed(values, parse):
    # pandas.to_numeric is off by the last bit of some decimals.
    if values.dtype != object:
        return values
    numbers = [None if one is None or one != one else parse(one) for one in values]
    return pandas.Series(numbers, index=values.index, dtype="Int64" if parse is int else "float64")
