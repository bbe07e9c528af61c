# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: leaves them in MLflow's order, the newest first
# ---
def find_runs(experiment, auc, data):
    decimals = len(auc.partition(".")[2])
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.data = '{data}'",
        output_format="list",
    )
    return [run.info.run_id for run in found if f"{run.data.metrics.get('auc', math.nan):.{decimals}f}" == auc]
