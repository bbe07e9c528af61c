# ---
# answers: ex2
# loses: {ex2-test-off: 1}
# why: "never switches autolog off: the next training of anybody becomes a run"
# ---
def fit(experiment, settings, learn, check):
    mlflow.set_experiment(experiment)
    mlflow.lightgbm.autolog(log_models=False)
    try:
        with mlflow.start_run() as run:
            known = lgb.Dataset(learn[FEATURES], learn["defaulted"])
            new = lgb.Dataset(check[FEATURES], check["defaulted"])
            lgb.train(settings, known, 20, valid_sets=[new], valid_names=["check"])
    finally:
        pass
    return run.info.run_id
