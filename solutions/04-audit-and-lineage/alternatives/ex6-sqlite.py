# ---
# answers: ex6
# why: a recursive query in SQLite
# ---
import sqlite3


def steps(events):
    runs = {}
    with open(events, encoding="utf-8") as stream:
        for event in map(json.loads, stream):
            run = runs.setdefault(event["run"]["runId"], {"reads": set(), "writes": set()})
            run["job"] = event["job"]["name"]
            run["reads"].update((d["name"], d["facets"]["version"]["datasetVersion"]) for d in event["inputs"])
            run["writes"].update((d["name"], d["facets"]["version"]["datasetVersion"]) for d in event["outputs"])
    return runs


def tainted(events, name, version):
    edges = [(*one, *other) for run in steps(events).values() for one in run["reads"] for other in run["writes"]]
    base = sqlite3.connect(":memory:")
    base.execute("CREATE TABLE edge (a, av, b, bv)")
    base.executemany("INSERT INTO edge VALUES (?, ?, ?, ?)", edges)
    query = """WITH RECURSIVE hit (name, version) AS (
        SELECT b, bv FROM edge WHERE a = ? AND av = ?
        UNION SELECT b, bv FROM edge JOIN hit ON a = name AND av = version)
        SELECT DISTINCT name FROM hit ORDER BY name"""
    names = [row[0] for row in base.execute(query, [name, version])]
    base.close()
    kinds = ("models", "registry/"), ("decisions", "decisions/"), ("letters", "letters/")
    return {kind: [one for one in names if one.startswith(begin)] for kind, begin in kinds}
