# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: takes max() of the AUCs, in which a nan that comes first stays
# ---
def best_run(experiment, data):
    wanted = f"attributes.status = 'FINISHED' and tags.data = '{data}'"
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=wanted,
        output_format="list",
        order_by=["attributes.start_time ASC"],
    )
    found = [run for run in found if "auc" in run.data.metrics]
    found.sort(key=lambda run: int(run.data.params["leaves"]))
    best = max(found, key=lambda run: run.data.metrics["auc"], default=None)
    return best and best.info.run_id
