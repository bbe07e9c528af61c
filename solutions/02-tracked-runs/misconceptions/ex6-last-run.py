# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: takes the last run that finished
# ---
def best_run(experiment, data):
    wanted = f"attributes.status = 'FINISHED' and tags.data = '{data}'"
    found = mlflow.search_runs(experiment_names=[experiment], filter_string=wanted)
    return None if found.empty else found["run_id"].iloc[0]
