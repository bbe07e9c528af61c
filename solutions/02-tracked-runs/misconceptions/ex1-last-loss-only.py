# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-crash: 2}
# why: logs the metric once, at the end, so there is no curve
# ---
def record(experiment, name, params, data, losses):
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=name, tags={"data": data}) as run:
        mlflow.log_params(params)
        seen = list(losses)
        mlflow.log_metrics({"loss": seen[-1], "best_loss": min(seen)})
    return run.info.run_id
