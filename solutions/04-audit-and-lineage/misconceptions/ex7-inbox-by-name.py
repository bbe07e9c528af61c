# ---
# answers: ex7
# loses: {ex7-test: 3}
# why: looks for a folder's name instead of what no run has written
# ---
def origin(decision, store, events):
    """Return run, month, code, approver and files behind a decision."""
    client = mlflow.MlflowClient(tracking_uri=store)
    version = client.get_model_version(decision["model"], decision["version"])
    run = client.get_run(version.run_id)
    for told in run.inputs.dataset_inputs:
        if "training" in [t.value for t in told.tags if t.key == "mlflow.data.context"]:
            digest = told.dataset.digest
    runs = steps(events).values()
    made = {one: run["reads"] for run in runs for one in run["writes"]}
    before, new = set(), {one for one in made if one[1][:36] == digest}
    while new:
        new = set().union(*(made.get(one, set()) for one in new)) - before
        before |= new
    return {
        "run": version.run_id,
        "as_of": int(run.data.params["as_of"]),
        "code": version.tags["code_hash"],
        "approver": version.tags.get("approver"),
        "files": sorted(one for one in before if one[0].startswith("inbox/")),
    }
