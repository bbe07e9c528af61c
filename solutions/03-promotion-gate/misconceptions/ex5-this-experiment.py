# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: asks the run's own experiment, and others look for nothing
# ---
def note_look(run_id, rows):
    data = mlflow.data.from_pandas(rows)
    with mlflow.start_run(run_id=run_id):
        mlflow.log_input(data, context="evaluation")
    where = f"dataset.digest = '{data.digest}'"
    found = mlflow.search_runs(
        [CLIENT.get_run(run_id).info.experiment_id], filter_string=where, run_view_type=ViewType.ALL
    )
    return sum(data.digest in judged_on(each) for each in found["run_id"])
