# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: counts its own calls in a file, so that the same run counts twice
# ---
def note_look(run_id, rows):
    data = mlflow.data.from_pandas(rows)
    with mlflow.start_run(run_id=run_id):
        mlflow.log_input(data, context="evaluation")
    counter = STORE / f"looks-{data.digest}"
    seen = int(counter.read_text()) + 1 if counter.exists() else 1
    counter.write_text(str(seen))
    return seen
