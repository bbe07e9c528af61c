# ---
# answers: ex2
# loses: {ex2-test-off: 1}
# why: switches autolog off after the training, but not if the training raises
# ---
def fit(experiment, settings, learn, check):
    mlflow.set_experiment(experiment)
    mlflow.lightgbm.autolog(log_models=False)
    with mlflow.start_run() as run:
        known = lgb.Dataset(learn[FEATURES], learn["defaulted"])
        new = lgb.Dataset(check[FEATURES], check["defaulted"])
        lgb.train(settings, known, 20, valid_sets=[new], valid_names=["check"])
    mlflow.lightgbm.autolog(disable=True)
    return run.info.run_id
