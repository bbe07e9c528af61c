# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: asks for exactly the number of the mail, which is rounded
# ---
def find_runs(experiment, auc, data):
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.data = '{data}' and metrics.auc = {float(auc)}",
        order_by=["attributes.start_time ASC"],
    )
    return list(found.get("run_id", []))
