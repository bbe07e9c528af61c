# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: does not ask which data the number is from
# ---
def find_runs(experiment, auc, data):
    decimals = len(auc.partition(".")[2])
    found = mlflow.search_runs(
        experiment_names=[experiment],
        order_by=["attributes.start_time ASC"],
        output_format="list",
    )
    return [run.info.run_id for run in found if f"{run.data.metrics.get('auc', math.nan):.{decimals}f}" == auc]
