# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: leaves a tie to the order of the store
# ---
def best_run(experiment, data):
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"attributes.status = 'FINISHED' and tags.data = '{data}'",
        order_by=["metrics.auc DESC"],
    )
    found = found if found.empty else found.dropna(subset="metrics.auc")
    return None if found.empty else found["run_id"].iloc[0]
