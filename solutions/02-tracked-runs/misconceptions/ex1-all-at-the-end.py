# ---
# answers: ex1
# loses: {ex1-test-crash: 2}
# why: collects the losses and logs them at the end, and a crash takes them along
# ---
def record(experiment, name, params, data, losses):
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=name, tags={"data": data}) as run:
        mlflow.log_params(params)
        seen = list(losses)
        for step, loss in enumerate(seen, start=1):
            mlflow.log_metric("loss", loss, step=step)
        mlflow.log_metric("best_loss", min(seen))
    return run.info.run_id
