# ---
# answers: ex2
# loses: {ex2-test: 2}
# why: "logs the params and the last loss by hand: no curve, no data"
# ---
def fit(experiment, settings, learn, check):
    mlflow.set_experiment(experiment)
    with mlflow.start_run() as run:
        known = lgb.Dataset(learn[FEATURES], learn["defaulted"])
        new = lgb.Dataset(check[FEATURES], check["defaulted"])
        curve = {}
        keep = [lgb.record_evaluation(curve)]
        lgb.train(settings, known, 20, valid_sets=[new], valid_names=["check"], callbacks=keep)
        mlflow.log_params(settings | {"num_boost_round": 20})
        mlflow.log_metric("check-binary_logloss", curve["check"]["binary_logloss"][-1])
    return run.info.run_id
