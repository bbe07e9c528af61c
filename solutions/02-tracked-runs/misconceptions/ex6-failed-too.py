# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: counts runs that failed or still run
# ---
def best_run(experiment, data):
    wanted = f"tags.data = '{data}'"
    found = mlflow.search_runs(experiment_names=[experiment], filter_string=wanted, output_format="list")
    ranked = sorted(
        (-run.data.metrics["auc"], int(run.data.params["leaves"]), run.info.start_time, run.info.run_id)
        for run in found
        if not math.isnan(run.data.metrics.get("auc", math.nan))
    )
    return ranked[0][-1] if ranked else None
