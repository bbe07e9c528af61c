# ---
# answers: ex6
# loses: {ex6-test-tainted: 2}
# why: names a decision twice that was made twice
# ---
def steps(events):
    """Return "job", "reads" and "writes" by run id."""
    runs = {}
    for line in Path(events).read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        empty = {"job": event["job"]["name"], "reads": set(), "writes": set()}
        run = runs.setdefault(event["run"]["runId"], empty)
        for side, known in (("inputs", "reads"), ("outputs", "writes")):
            for one in event[side]:
                version = one["facets"]["version"]["datasetVersion"]
                run[known].add((one["name"], version))
    return runs


def tainted(events, name, version):
    """Return "models", "decisions" and "letters" made from a data set."""
    runs, found, new = steps(events).values(), set(), {(name, version)}
    while new:
        new = set().union(*(run["writes"] for run in runs if run["reads"] & new)) - found
        found |= new
    kinds = {"models": "registry/", "decisions": "decisions/", "letters": "letters/"}
    return {kind: sorted(one for one, _ in found if one.startswith(begin)) for kind, begin in kinds.items()}
