# ---
# answers: ex5
# loses: {ex5-test: 3, ex5-test-uses: 1}
# why: logs the rows without saying what the run did with them
# ---
def note_look(run_id, rows):
    data = mlflow.data.from_pandas(rows)
    with mlflow.start_run(run_id=run_id):
        mlflow.log_input(data)
    found = mlflow.search_runs(
        search_all_experiments=True,
        filter_string=f"dataset.digest = '{data.digest}'",
        run_view_type=ViewType.ALL,
    )
    return len(found)
