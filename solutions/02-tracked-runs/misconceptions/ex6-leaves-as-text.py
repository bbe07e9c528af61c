# ---
# answers: ex6
# loses: {ex6-test: 3}
# why: compares the leaves as text, where 100 comes before 9
# ---
def best_run(experiment, data):
    wanted = f"attributes.status = 'FINISHED' and tags.data = '{data}'"
    found = mlflow.search_runs(experiment_names=[experiment], filter_string=wanted, output_format="list")
    ranked = sorted(
        (-run.data.metrics["auc"], run.data.params["leaves"], run.info.start_time, run.info.run_id)
        for run in found
        if not math.isnan(run.data.metrics.get("auc", math.nan))
    )
    return ranked[0][-1] if ranked else None
