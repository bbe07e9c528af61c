# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-crash: 2}
# why: logs the digest as a param as well
# ---
def record(experiment, name, params, data, losses):
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=name, tags={"data": data}) as run:
        mlflow.log_params(params | {"data": data})
        best = math.inf
        for step, loss in enumerate(losses, start=1):
            mlflow.log_metric("loss", loss, step=step)
            best = min(best, loss)
        mlflow.log_metric("best_loss", best)
    return run.info.run_id
