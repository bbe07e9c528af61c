# ---
# answers: ex2
# why: judged on what it learns from, too
# ---
def fit(experiment, settings, learn, check):
    a = lgb.Dataset(learn[FEATURES], learn["defaulted"])
    b = lgb.Dataset(check[FEATURES], check["defaulted"])
    mlflow.set_experiment(experiment)
    mlflow.lightgbm.autolog(log_models=False)
    try:
        with mlflow.start_run() as run:
            lgb.train(settings, a, 20, valid_sets=[a, b], valid_names=["learn", "check"])
            return run.info.run_id
    finally:
        mlflow.lightgbm.autolog(disable=True)
