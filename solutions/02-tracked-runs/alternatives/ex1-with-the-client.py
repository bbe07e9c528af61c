# ---
# answers: ex1
# why: the client alone, without an active run
# ---
def record(experiment, name, params, data, losses):
    client = mlflow.MlflowClient()
    place = client.get_experiment_by_name(experiment).experiment_id
    run_id = client.create_run(place, run_name=name, tags={"data": data}).info.run_id
    lowest, step, status = None, 0, "FAILED"
    try:
        for key, value in params.items():
            client.log_param(run_id, key, value)
        for loss in losses:
            step += 1
            client.log_metric(run_id, "loss", loss, step=step)
            lowest = loss if lowest is None else min(lowest, loss)
        client.log_metric(run_id, "best_loss", lowest)
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status)
    return run_id
