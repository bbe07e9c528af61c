# ---
# answers: ex5
# loses: {ex5-test-uses: 1}
# why: counts the runs that learnt from the rows, too
# ---
def note_look(run_id, rows):
    data = mlflow.data.from_pandas(rows)
    with mlflow.start_run(run_id=run_id):
        mlflow.log_input(data, context="evaluation")
    where = f"dataset.digest = '{data.digest}'"
    found = mlflow.search_runs(search_all_experiments=True, filter_string=where, run_view_type=ViewType.ALL)
    return len(found)
