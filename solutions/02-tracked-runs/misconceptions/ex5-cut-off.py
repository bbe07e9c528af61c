# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: compares the first digits, so it cuts off instead of rounding
# ---
def find_runs(experiment, auc, data):
    decimals = len(auc.partition(".")[2])
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.data = '{data}'",
        order_by=["attributes.start_time ASC"],
        output_format="list",
    )
    return [run.info.run_id for run in found if str(run.data.metrics.get("auc")).startswith(auc)]
