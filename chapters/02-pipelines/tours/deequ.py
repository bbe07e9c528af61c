# /// script
# requires-python = ">=3.11,<3.13"
# dependencies = [
#     "cuallee", "pydeequ", "pyspark==3.5.*", "setuptools<81",
#     "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml",
# ]
# ///
"""Tour of Deequ: the contract of Oakbank's applications, checked on an honest month and on one with a broken feed.

    python3 bootstrap.py tour deequ            # the same checks with cuallee: no Java, no Spark
    python3 bootstrap.py tour deequ --fetch    # Deequ: Spark fetches its jar from Maven

Deequ is a Scala library that runs inside Spark. PyDeequ is only the way to it from Python: it needs Java 8, 11 or 17
and one jar. With `DEEQU_JAR` set to that jar nothing is fetched.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of a package: its own folder must not be searched.
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "chapters" / "01-intro" / "reference"))
os.environ["SPARK_VERSION"] = "3.5"  # PyDeequ asks for it when it is imported

import cuallee  # noqa: E402
import pandas as pd  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.world import CATEGORIES, COLUMNS, World  # noqa: E402
from oakbank.world.schema import BANDS  # noqa: E402

JAR = "DEEQU_JAR"
HONEST, BROKEN = 6, 7
"""In month 7 a supplier starts to send income per year instead of per month."""
MUST_FAIL = {"income in its range", "mean income as usual"}


@dataclass(frozen=True)
class Rule:
    """One rule of the contract: what must hold of a column, with the bounds or values it takes."""

    name: str
    kind: str
    column: str
    values: tuple[str, ...] = ()
    bounds: tuple[float, float] = (0, 0)


def contract() -> list[Rule]:
    """Return the contract, made from the schema: keys, gaps, categories, ranges, and the usual mean of the income."""
    rules = [Rule("application_id unique", "unique", "application_id")]
    for column in COLUMNS:
        name = column.name
        rules.append(Rule(f"{name} complete", "complete", name))
        if name in CATEGORIES:
            rules.append(Rule(f"{name} of its categories", "category", name, values=CATEGORIES[name]))
        elif column.low is not None and column.high is not None:
            rules.append(Rule(f"{name} in its range", "range", name, bounds=(column.low, column.high)))
    return [*rules, Rule("mean income as usual", "mean", "income", bounds=BANDS["income"])]


def by_hand(months: dict[int, Path]) -> dict[int, set[str]]:
    """Check each month with pandas alone; return the rules that failed."""
    failed = {}
    for month, path in months.items():
        frame = pd.read_parquet(path)
        failed[month] = set()
        for rule in contract():
            values, (low, high) = frame[rule.column], rule.bounds
            holds = {
                "unique": lambda v=values: v.is_unique,
                "complete": lambda v=values: v.notna().all(),
                "category": lambda v=values, r=rule: v.isin(r.values).all(),
                "range": lambda v=values, a=low, b=high: v.between(a, b).all(),
                "mean": lambda v=values, a=low, b=high: a <= v.mean() <= b,
            }
            if not holds[rule.kind]():
                failed[month].add(rule.name)
    return failed


def solve(months: dict[int, Path], jar: str) -> dict[int, set[str]]:
    """Check each month with Deequ in a Spark of this process; return the rules that failed."""
    from pydeequ import Check, CheckLevel, deequ_maven_coord, f2j_maven_coord
    from pydeequ.verification import VerificationResult, VerificationSuite
    from pyspark.sql import SparkSession

    where = {"spark.jars": jar} if jar else {"spark.jars.packages": deequ_maven_coord}
    settings = where | {
        "spark.jars.excludes": f2j_maven_coord,
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    failed = {}
    try:
        for month, path in months.items():
            check = Check(spark, CheckLevel.Error, "Oakbank's applications")
            for rule in contract():
                low, high = rule.bounds
                if rule.kind == "unique":
                    check = check.isUnique(rule.column)
                elif rule.kind == "complete":
                    check = check.isComplete(rule.column)
                elif rule.kind == "category":
                    check = check.isContainedIn(rule.column, list(rule.values))
                elif rule.kind == "range":
                    text = f"`{rule.column}` BETWEEN {low} AND {high}"
                    check = check.satisfies(text, rule.name, lambda share: share == 1.0)
                else:
                    check = check.hasMean(rule.column, lambda mean, low=low, high=high: low <= mean <= high)
            result = VerificationSuite(spark).onData(spark.read.parquet(str(path))).addCheck(check).run()
            rows = VerificationResult.checkResultsAsDataFrame(spark, result).collect()
            pairs = zip(contract(), rows, strict=True)  # one row for each constraint, in the order of the check
            failed[month] = {rule.name for rule, row in pairs if row["constraint_status"] != "Success"}
    finally:
        spark.sparkContext._gateway.shutdown_callback_server()  # Deequ calls the lambdas through it
        spark.stop()
    return failed


def with_cuallee(months: dict[int, Path]) -> dict[int, set[str]]:
    """Check each month with cuallee, whose checks are modelled on Deequ's; return the rules that failed."""
    failed = {}
    for month, path in months.items():
        frame = pd.read_parquet(path)
        rows, mean = (cuallee.Check(cuallee.CheckLevel.ERROR, name) for name in ("rows", "month"))
        for rule in contract():
            if rule.kind == "unique":
                rows.is_unique(rule.column)
            elif rule.kind == "complete":
                rows.is_complete(rule.column)
            elif rule.kind == "category":
                rows.is_contained_in(rule.column, rule.values)
            elif rule.kind == "range":
                rows.is_between(rule.column, rule.bounds)
            else:  # `has_mean` takes one number, not two bounds: so it is a range over the one row of a summary
                mean.is_between(rule.column, rule.bounds)
        found = pd.concat([rows.validate(frame), mean.validate(frame[["income"]].mean().to_frame().T)])
        verdicts = zip(contract(), found["status"], strict=True)
        failed[month] = {rule.name for rule, verdict in verdicts if verdict != "PASS"}
    return failed


def main() -> None:
    """Run the tour."""
    tour = Tour("Deequ", "pydeequ", "pyspark", "cuallee")
    jar = os.environ.get(JAR, "")
    if jar and not Path(jar).is_file():
        raise FileNotFoundError(f"{JAR} names {jar}, which is not there")
    on_deequ = bool(jar) or "--fetch" in sys.argv[1:]
    world = World(seed=7, scenario="broken-feed-unit")
    with tempfile.TemporaryDirectory() as folder:
        months = {month: Path(folder) / f"month{month}.parquet" for month in (HONEST, BROKEN)}
        for month, path in months.items():
            frame = world.applications(month)
            frame.astype(dict.fromkeys(CATEGORIES, "object")).to_parquet(path, index=False)
        wanted = tour.plain("the same checks in pandas", lambda: by_hand(months))
        failed = tour.system_does(lambda: solve(months, jar) if on_deequ else with_cuallee(months))
    tour.say(f"checked by {'Deequ' if on_deequ else 'cuallee (not Deequ)'}: {len(contract())} rules a month")
    for month, names in failed.items():
        tour.say(f"- month {month}: {'all hold' if not names else 'broken: ' + ', '.join(sorted(names))}")
    if failed != wanted:
        raise RuntimeError(f"pandas finds {wanted}")
    if failed != {HONEST: set(), BROKEN: MUST_FAIL}:
        raise RuntimeError(f"month {HONEST} must hold and month {BROKEN} must break {sorted(MUST_FAIL)}")
    tour.end(
        stores="nothing by itself; Deequ keeps a month's measures in a repository (a file or a table) that you give it",
        asks="a Spark, a Java that fits it, and the jar of your Spark's version; Scala to add a check that it lacks",
        not_proven=(
            "one process and 2,000 rows: no cluster, no checks over months, no check suggested from data"
            if on_deequ
            else "that Deequ itself finds the same: the rules are the same, cuallee computes them with pandas"
        ),
        real=(f"export {JAR}=deequ.jar", "python3 bootstrap.py tour deequ"),
        missing="" if on_deequ else f"its jar is not here; set {JAR}, or add --fetch where Maven can be reached",
    )


if __name__ == "__main__":
    main()
