# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-crash: 2}
# why: starts a run and never ends it: it stays RUNNING, and takes the next one's values
# ---
def record(experiment, name, params, data, losses):
    mlflow.set_experiment(experiment)
    run = mlflow.active_run() or mlflow.start_run(run_name=name, tags={"data": data})
    mlflow.log_params(params)
    best = math.inf
    for step, loss in enumerate(losses, start=1):
        mlflow.log_metric("loss", loss, step=step)
        best = min(best, loss)
    mlflow.log_metric("best_loss", best)
    return run.info.run_id
