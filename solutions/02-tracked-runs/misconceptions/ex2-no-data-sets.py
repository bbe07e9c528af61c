# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: "switches the data sets off: nobody sees what the run learnt from"
# ---
def fit(experiment, settings, learn, check):
    mlflow.set_experiment(experiment)
    mlflow.lightgbm.autolog(log_models=False, log_datasets=False)
    try:
        with mlflow.start_run() as run:
            known = lgb.Dataset(learn[FEATURES], learn["defaulted"])
            new = lgb.Dataset(check[FEATURES], check["defaulted"])
            lgb.train(settings, known, 20, valid_sets=[new], valid_names=["check"])
    finally:
        mlflow.lightgbm.autolog(disable=True)
    return run.info.run_id
