# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: expects the column of a metric that no run found has
# ---
def best_run(experiment, data):
    runs = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"attributes.status = 'FINISHED' and tags.data = '{data}'",
    )
    runs = runs.dropna(subset=["metrics.auc"])
    if runs.empty:
        return None
    runs["leaves"] = runs["params.leaves"].astype(int)
    order = ["metrics.auc", "leaves", "start_time"]
    return runs.sort_values(order, ascending=[False, True, True])["run_id"].iloc[0]
