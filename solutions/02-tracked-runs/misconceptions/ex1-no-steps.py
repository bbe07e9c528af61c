# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-crash: 2}
# why: "logs each loss without a step: all stand at step 0, and the page draws a dot"
# ---
def record(experiment, name, params, data, losses):
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=name, tags={"data": data}) as run:
        mlflow.log_params(params)
        best = math.inf
        for loss in losses:
            mlflow.log_metric("loss", loss)
            best = min(best, loss)
        mlflow.log_metric("best_loss", best)
    return run.info.run_id
