# ---
# answers: ex4
# loses: {ex4-test: 3}
# why: "draws the leaves before the rate: the same seed gives other settings"
# ---
def tracked_study(experiment, name, loss, trials, seed):
    mlflow.set_experiment(experiment)

    def objective(trial):
        with mlflow.start_run(nested=True, tags={"trial": str(trial.number)}):
            leaves = trial.suggest_int("leaves", 2, 31)
            rate = trial.suggest_float("rate", 0.01, 0.3)
            mlflow.log_params({"rate": rate, "leaves": leaves})
            value = loss(rate, leaves)
            if math.isnan(value):
                raise ValueError("no number")
            mlflow.log_metric("loss", value)
            return value

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    with mlflow.start_run(run_name=name) as parent:
        study.optimize(objective, n_trials=trials, catch=(ValueError,))
        mlflow.log_params(study.best_params)
        mlflow.log_metric("best_loss", study.best_value)
    return parent.info.run_id
