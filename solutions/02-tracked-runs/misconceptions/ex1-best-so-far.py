# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-crash: 2}
# why: logs the lowest loss after each round, so a failed run has one, too
# ---
def record(experiment, name, params, data, losses):
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=name, tags={"data": data}) as run:
        mlflow.log_params(params)
        best = math.inf
        for step, loss in enumerate(losses, start=1):
            mlflow.log_metric("loss", loss, step=step)
            best = min(best, loss)
            mlflow.log_metric("best_loss", best, step=step)
    return run.info.run_id
