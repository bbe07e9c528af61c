# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: leaves out deleted runs, as search does by default
# ---
def note_look(run_id, rows):
    data = mlflow.data.from_pandas(rows)
    with mlflow.start_run(run_id=run_id):
        mlflow.log_input(data, context="evaluation")
    where = f"dataset.digest = '{data.digest}'"
    found = mlflow.search_runs(search_all_experiments=True, filter_string=where)
    return sum(data.digest in judged_on(each) for each in found["run_id"])
