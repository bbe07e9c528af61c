# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: counts what has finished, and a failed run has looked for nothing
# ---
def note_look(run_id, rows):
    data = mlflow.data.from_pandas(rows)
    tag = mlflow.entities.InputTag("mlflow.data.context", "evaluation")
    seen = mlflow.entities.DatasetInput(mlflow.entities.Dataset("rows", data.digest, "local", "{}"), [tag])
    CLIENT.log_inputs(run_id, [seen])
    where = f"dataset.digest = '{data.digest}'"
    where += " and attributes.status != 'FAILED'"
    found = mlflow.search_runs(search_all_experiments=True, filter_string=where, run_view_type=ViewType.ALL)
    return sum(data.digest in judged_on(each) for each in found["run_id"])
