# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: expects the column of a metric that no run found has
# ---
def find_runs(experiment, auc, data):
    runs = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.data = '{data}'",
        order_by=["attributes.start_time ASC"],
    )
    decimals = len(auc.split(".")[1])
    written = runs["metrics.auc"].map(lambda value: f"{value:.{decimals}f}")
    return list(runs.loc[written == auc, "run_id"])
