# ---
# answers: ex4
# why: Optuna is asked and told, the runs are made by the client
# ---
def tracked_study(experiment, name, loss, trials, seed):
    place = CLIENT.get_experiment_by_name(experiment).experiment_id
    parent = CLIENT.create_run(place, run_name=name).info.run_id
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    status = "FAILED"
    try:
        for number in range(trials):
            trial = study.ask()
            tags = {"mlflow.parentRunId": parent, "trial": str(number)}
            child = CLIENT.create_run(place, tags=tags).info.run_id
            end, result = "FAILED", math.nan
            try:
                settings = {"rate": trial.suggest_float("rate", 0.01, 0.3)}
                settings["leaves"] = trial.suggest_int("leaves", 2, 31)
                for key, value in settings.items():
                    CLIENT.log_param(child, key, value)
                with contextlib.suppress(ValueError):
                    result = loss(**settings)
                if not math.isnan(result):
                    CLIENT.log_metric(child, "loss", result)
                    end = "FINISHED"
            finally:
                CLIENT.set_terminated(child, end)
            if end == "FINISHED":
                study.tell(trial, result)
            else:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
        for key, value in study.best_trial.params.items():
            CLIENT.log_param(parent, key, value)
        CLIENT.log_metric(parent, "best_loss", study.best_value)
        status = "FINISHED"
    finally:
        CLIENT.set_terminated(parent, status)
    return parent
