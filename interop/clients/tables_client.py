"""Writes tables with pandas, PyArrow, polars and NumPy, and compares each with the table that a look-up made of it."""
import datetime
import decimal
import os

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

import wire

# Rows whose point is missing in the columns that can say so.
MISSING = (3, 17)
ROW_GROUP = 37
AXES = ("x", "y", "z")


def point_columns(points):
    """Returns columns of positions, each in another type. The rows of MISSING have none."""
    rows = [None if k in MISSING else [int(v) for v in point] for k, point in enumerate(points)]
    integers = pa.array(rows, type=pa.list_(pa.int64()))
    fixed = pa.FixedSizeListArray.from_arrays(
        pa.array(points.astype(np.int32).ravel()), 3, mask=pa.array([row is None for row in rows])
    )
    nan = [[float("nan")] * 3 if row is None else [float(v) + 0.25 for v in row] for row in rows]
    structs = [None if row is None else dict(zip("zyx", row[::-1])) for row in rows]
    return {
        "list_position": integers,
        "fixed_position": fixed,
        "nan_position": pa.array(nan, type=pa.list_(pa.float32())),
        "large_position": pa.array(rows, type=pa.large_list(pa.int32())),
        "struct_position": pa.array(structs, type=pa.struct([(axis, pa.int32()) for axis in "zyx"])),
        "text_position": pa.array([None if row is None else f"[{row[0]}, {row[1]}, {row[2]}]" for row in rows]),
        "numpy_position": pa.array(["" if row is None else str(np.array(row)) for row in rows]),
        "word_position": pa.array([None if row is None else f"({row[0]} {row[1]} {row[2]})" for row in rows]).dictionary_encode(),
        "flat_position_x": pa.array([None if row is None else row[0] for row in rows], type=pa.uint64() if min(points[:, 0]) >= 0 else pa.int64()),
        "flat_position_y": pa.array([None if row is None else decimal.Decimal(row[1]) for row in rows], type=pa.decimal128(20, 2)),
        "flat_position_z": pa.array([None if row is None else row[2] for row in rows], type=pa.float64()),
    }


POSITIONS = ["list", "fixed", "nan", "large", "struct", "text", "numpy", "word", "flat"]


def other_columns(rows):
    """Returns columns that a look-up does not read."""
    rng = np.random.default_rng(7)
    ids = rng.integers(2**63, 2**64 - 1, rows, dtype=np.uint64)
    second = [datetime.datetime(2024, 3, 10, 6, 59, 59, 123456) + datetime.timedelta(hours=k) for k in range(rows)]
    some = lambda values: [None if k % 7 == 0 else value for k, value in enumerate(values)]
    return {
        "pt_root_id": pa.array(some(int(i) for i in ids), type=pa.uint64()),
        "signed": pa.array(some(-int(i >> np.uint64(1)) for i in ids), type=pa.int64()),
        "small": pa.array(some(k % 120 for k in range(rows)), type=pa.int8()),
        "float": pa.array([float("nan") if k % 5 == 0 else k / 3 for k in range(rows)], type=pa.float32()),
        "half": pa.array(np.arange(rows).astype(np.float16)),
        "double": pa.array(some(float("inf") if k % 5 == 0 else -0.0 for k in range(rows))),
        "decimal": pa.array(some(decimal.Decimal(int(i)) for i in ids), type=pa.decimal128(38, 0)),
        "cents": pa.array(some(decimal.Decimal(k) / 4 for k in range(rows)), type=pa.decimal128(9, 2)),
        "kind": pa.array(some(("axon", "dendrite", "söma \U0001f9e0")[k % 3] for k in range(rows))).dictionary_encode(),
        "us": pa.array(some(second), type=pa.timestamp("us", tz="UTC")),
        "ns": pa.array([k * 10**9 + 1 for k in range(rows)], type=pa.timestamp("ns", tz="America/New_York")),
        "ms": pa.array(some(second), type=pa.timestamp("ms")),
        "day": pa.array(some(s.date() for s in second)),
        "time": pa.array(some(s.time() for s in second), type=pa.time64("us")),
        "duration": pa.array([datetime.timedelta(seconds=k) for k in range(rows)], type=pa.duration("us")),
        "flag": pa.array(some(k % 2 == 0 for k in range(rows))),
        "bytes": pa.array(some(bytes([k % 256, 0]) for k in range(rows))),
        "four": pa.array([b"abcd"] * rows, type=pa.binary(4)),
        "nothing": pa.nulls(rows),
        "nested": pa.array(some([{"a": [k, None], "b": None}, None] for k in range(rows))),
        "map": pa.array(some([("a", k)] for k in range(rows)), type=pa.map_(pa.string(), pa.int16())),
        "long_text": pa.array(some(f"a rather long text {k}" * 3 for k in range(rows)), type=pa.large_string()),
    }


def arrow_table(points):
    table = pa.table({**point_columns(points), **other_columns(len(points))})
    return table.replace_schema_metadata({"made by": "the interoperability run"})


def frame(points):
    """Returns a data frame of pandas, with an index, categories and nullable integers."""
    data = pd.DataFrame(points.astype(np.float64), columns=AXES)
    data.loc[list(MISSING), ["x", "y"]] = np.nan
    data["z"] = pd.array([None if k in MISSING else int(z) for k, z in enumerate(points[:, 2])], dtype="Int32")
    data["old_root"] = pd.array([None if k % 3 else 2**60 + k for k in range(len(data))], dtype="Int64")
    data["kind"] = pd.Categorical(["u", "v"] * (len(data) // 2) + ["u"] * (len(data) % 2), categories=["v", "u", "w"], ordered=True)
    data["when"] = pd.date_range("2024-01-01", periods=len(data), freq="h", tz="Europe/Berlin")
    data["text"] = "é"
    return data


def polars_frame(points):
    rows = len(points)
    return pl.DataFrame(
        {
            "list_position": pl.Series([None if k in MISSING else p.tolist() for k, p in enumerate(points.astype(int))], dtype=pl.List(pl.Int64)),
            "array_position": pl.Series([None if k in MISSING else p.tolist() for k, p in enumerate(points.astype(int))], dtype=pl.Array(pl.Int32, 3)),
            "struct_position": [None if k in MISSING else dict(zip(AXES, map(float, p))) for k, p in enumerate(points)],
            "text_position": [None if k in MISSING else ", ".join(map(str, p)) for k, p in enumerate(points.astype(int))],
            "id": pl.Series([2**64 - 1 - k for k in range(rows)], dtype=pl.UInt64),
            "kind": pl.Series([["u", "v", None][k % 3] for k in range(rows)], dtype=pl.Categorical),
            "enum": pl.Series([["u", "v", None][k % 3] for k in range(rows)], dtype=pl.Enum(["v", "u"])),
            "cents": pl.Series([decimal.Decimal(k) / 4 for k in range(rows)], dtype=pl.Decimal(10, 2)),
            "when": pl.Series([datetime.datetime(2024, 1, 1)] * rows, dtype=pl.Datetime("us", "Asia/Tokyo")),
            "float": [float("nan") if k % 4 else None for k in range(rows)],
            "name": [f"a rather long name {k}" for k in range(rows)],
        }
    )


def read_arrow(path):
    with pa.OSFile(path, "rb") as file:
        data = file.read()
    return (pa.ipc.open_file if data[:6] == b"ARROW1" else pa.ipc.open_stream)(data).read_all()


def read_parquet(path):
    return pq.ParquetFile(path).read()


# How each library reads a format.
READERS = {
    "pyarrow": {".parquet": read_parquet, ".arrow": read_arrow},
    "pandas": {".parquet": pd.read_parquet, ".arrow": pd.read_feather},
    "polars": {".parquet": pl.read_parquet, ".arrow": pl.read_ipc},
}


class Client:
    def write(self, folder, points, values, statuses):
        """
        Writes the tables.

        :param points: 3 coordinates per row.
        :param values: The truth of each row as text; "" for none.
        :param statuses: The status of each row.
        :returns: the name of each table and the arguments of its look-up.
        """
        self.folder, self.truth = folder, list(zip((int(v) if v else None for v in values), statuses))
        self.tables = {}
        points = points.reshape(-1, 3)
        table = arrow_table(points)
        flags = [part for name in POSITIONS for part in ("--position", f"{name}_position")]

        for version in ("1.0", "2.0"):
            for codec in ("snappy", "zstd", "gzip", "none"):
                path = self.add(f"pyarrow-v{version[0]}-{codec}.parquet", flags, read_parquet, POSITIONS)
                split = {"float": "BYTE_STREAM_SPLIT"} if codec == "zstd" else None
                pq.write_table(
                    table, path, compression=codec, data_page_version=version, row_group_size=ROW_GROUP,
                    use_dictionary=False if split else codec != "gzip", column_encoding=split,
                    write_page_index=codec == "snappy", store_schema=codec != "none", data_page_size=200,
                )  # fmt: skip
        pq.write_table(table.slice(0, 0), self.add("pyarrow-empty.parquet", flags, read_parquet, POSITIONS, rows=0))
        for codec in ("uncompressed", "lz4", "zstd"):
            path = self.add(f"pyarrow-{codec}.feather", flags, read_arrow, POSITIONS)
            feather.write_feather(table, path, compression=codec, chunksize=ROW_GROUP)
        feather.write_feather(table.slice(0, 0), self.add("pyarrow-empty.feather", flags, read_arrow, POSITIONS, rows=0))
        with pa.ipc.new_stream(self.add("pyarrow.arrows", flags, read_arrow, POSITIONS), table.schema) as stream:
            for batch in table.to_batches(max_chunksize=ROW_GROUP):
                stream.write_batch(batch)

        data = frame(points)
        indexed = data.set_index(pd.Index([f"synapse {k}" for k in range(len(data))], name="synapse"))
        indexed.attrs["segment"] = 2**60 + 1
        indexed.to_parquet(self.add("pandas.parquet", [], pd.read_parquet, [""]))
        data.to_feather(self.add("pandas.feather", [], pd.read_feather, [""]))

        ours = ["list", "array", "struct", "text"]
        flags = [part for name in ours for part in ("--position", f"{name}_position")]
        data = polars_frame(points)
        for codec in ("zstd", "snappy"):
            path = self.add(f"polars-{codec}.parquet", flags, pl.read_parquet, ours)
            data.write_parquet(path, compression=codec, row_group_size=ROW_GROUP)
        for codec in ("uncompressed", "lz4", "zstd"):
            data.write_ipc(self.add(f"polars-{codec}.arrow", flags, pl.read_ipc, ours), compression=codec)
        path = self.add("polars-old.arrow", flags, pl.read_ipc, ours)
        data.write_ipc(path, compression="lz4", compat_level=pl.CompatLevel.oldest())
        data.write_ipc_stream(self.add("polars.arrows", flags, pl.read_ipc_stream, ours))

        whole = points.astype(np.int64)
        for name, array in {
            "double": points + 0.5,
            "int": whole,
            "fortran": np.asfortranarray(points.astype(np.float32)),
            "big": whole.astype(">i4"),
        }.items():
            np.save(self.add(f"numpy-{name}.npy", [], np.load, [""], missing=False), array)
        named = np.array([(*p, k, "é") for k, p in enumerate(whole.tolist())], dtype=[*((a, "<i8") for a in AXES), ("id", "<u8"), ("text", "<U3")])
        np.save(self.add("numpy-named.npy", [], np.load, [""], missing=False), named)
        arrays = {"pt_position": whole, "weight": points[:, 0] / 3, "id": np.arange(len(points), dtype=np.uint64) + np.uint64(2**63)}
        for name, save in {"stored": np.savez, "deflated": np.savez_compressed}.items():
            path = self.add(f"numpy-{name}.npz", ["--position", "pt_position"], np.load, ["pt"], missing=False)
            save(path, **arrays)
        return [{"name": name, "flags": table["flags"]} for name, table in self.tables.items()]

    def add(self, name, flags, read, positions, missing=True, rows=None):
        self.tables[name] = {"flags": flags, "read": read, "positions": positions, "missing": missing, "rows": rows}
        return os.path.join(self.folder, name)

    def compare(self, name, out):
        """Compares the output of a look-up with its input and with the truth. Returns what, theirs and ours of each."""
        table = self.tables[name]
        before, after = (table["read"](os.path.join(self.folder, file)) for file in (name, out))
        truth = [
            (None, "not_looked_up") if table["missing"] and k in MISSING else row
            for k, row in enumerate(self.truth[: table["rows"]])
        ]
        kind = str(type(before).__module__).split(".")[0]
        return getattr(self, f"_{kind}")(before, after, truth, table["positions"])

    def compare_converted(self, name, out):
        """Compares an output in another columnar format with its input: types and values are those of the library that wrote the input."""
        table = self.tables[name]
        before = table["read"](os.path.join(self.folder, name))
        kind = str(type(before).__module__).split(".")[0]
        after = READERS[kind][os.path.splitext(out)[1]](os.path.join(self.folder, out))
        truth = [
            (None, "not_looked_up") if table["missing"] and k in MISSING else row
            for k, row in enumerate(self.truth[: table["rows"]])
        ]
        return getattr(self, f"_{kind}")(before, after, truth, table["positions"])

    def _answers(self, columns, types, truth, positions, value_type, status_type, zero=None):
        found = []
        for position in positions:
            value, status = (f"{position}_{what}" if position else what for what in ("value", "status"))
            answers = [(None if v is None else int(v), str(s)) for v, s in zip(columns(value), columns(status))]
            expected = [(zero if v is None else v, s) for v, s in truth]
            found.append({"what": f"answers of {position}", "theirs": str(expected), "ours": str(answers)})
            found.append({"what": f"types of {position}", "theirs": f"{value_type}, {status_type}", "ours": f"{types(value)}, {types(status)}"})
        return found

    def _pyarrow(self, before, after, truth, positions):
        after.validate(full=True)
        kept = after.column_names[: before.num_columns]
        found = [{"what": "names", "theirs": str(before.column_names), "ours": str(kept)}]
        for k, field in enumerate(before.schema):
            own = after.schema.field(k)
            found.append({"what": f"type of {field.name}", "theirs": f"{field} {field.metadata}", "ours": f"{own} {own.metadata}"})
            found.append({"what": field.name, "theirs": repr(before.column(k).to_pylist()), "ours": repr(after.column(k).to_pylist())})
        lost = {key: value for key, value in (before.schema.metadata or {}).items() if (after.schema.metadata or {}).get(key) != value}
        found.append({"what": "lost metadata", "theirs": "{}", "ours": str(lost)})
        columns = lambda name: after.column(name).to_pylist()
        return found + self._answers(columns, lambda name: after.schema.field(name).type, truth, positions, pa.uint64(), pa.string())

    def _pandas(self, before, after, truth, positions):
        kept = after[list(before.columns)]
        try:
            pd.testing.assert_frame_equal(before, kept, check_exact=True)
            difference = ""
        except AssertionError as error:
            difference = str(error)
        found = [
            {"what": "columns", "theirs": "", "ours": difference},
            {"what": "attributes", "theirs": str(before.attrs), "ours": str(after.attrs)},
        ]
        columns = lambda name: [None if pd.isna(v) else v for v in after[name]]
        return found + self._answers(columns, lambda name: "text" if pd.api.types.is_string_dtype(after[name]) else after[name].dtype, truth, positions, "UInt64", "text")

    def _polars(self, before, after, truth, positions):
        kept = after.select(before.columns)
        found = [
            {"what": "schema", "theirs": str(before.schema), "ours": str(kept.schema)},
            {"what": "columns", "theirs": "True", "ours": str(kept.equals(before, null_equal=True))},
            {"what": "column order", "theirs": str(before.columns), "ours": str(after.columns[: before.width])},
        ]
        columns = lambda name: after[name].to_list()
        return found + self._answers(columns, lambda name: after.schema[name], truth, positions, pl.UInt64, pl.String)

    def _numpy(self, before, after, truth, positions):
        found = []
        if isinstance(before, np.lib.npyio.NpzFile):
            types = lambda name: after[name].dtype.str[:2]
            for name in before.files:
                old, new = before[name], after[name]
                found.append({"what": name, "theirs": f"{old.dtype} {old.shape} {old.tolist()}", "ours": f"{new.dtype} {new.shape} {new.tolist()}"})
        else:
            types = lambda name: after.dtype[name].str[:2]
            names = before.dtype.names or AXES
            for k, name in enumerate(names):
                old, new = before[name] if before.dtype.names else before[:, k], after[name]
                found.append({"what": name, "theirs": f"{old.dtype} {old.tolist()}", "ours": f"{new.dtype} {new.tolist()}"})
        # NumPy has no null: a missing answer is 0.
        return found + self._answers(lambda name: after[name], types, truth, positions, "<u", "<U", zero=0)


if __name__ == "__main__":
    wire.serve(Client())
