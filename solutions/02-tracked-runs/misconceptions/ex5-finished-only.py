# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: leaves out failed runs, though the number may be from one
# ---
def find_runs(experiment, auc, data):
    decimals = len(auc.partition(".")[2])
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.data = '{data}' and attributes.status = 'FINISHED'",
        order_by=["attributes.start_time ASC"],
        output_format="list",
    )
    return [run.info.run_id for run in found if f"{run.data.metrics.get('auc', math.nan):.{decimals}f}" == auc]
