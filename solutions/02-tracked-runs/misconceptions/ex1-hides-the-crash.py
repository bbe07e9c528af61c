# ---
# answers: ex1
# loses: {ex1-test-crash: 2}
# why: catches the exception, so that a failed run counts as finished
# ---
def record(experiment, name, params, data, losses):
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=name, tags={"data": data}) as run:
        mlflow.log_params(params)
        best = math.inf
        try:
            for step, loss in enumerate(losses, start=1):
                mlflow.log_metric("loss", loss, step=step)
                best = min(best, loss)
        except Exception:
            mlflow.set_tag("failed", "yes")
        else:
            mlflow.log_metric("best_loss", best)
    return run.info.run_id
