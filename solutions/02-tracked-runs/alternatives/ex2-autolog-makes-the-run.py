# ---
# answers: ex2
# why: autolog starts the run and ends it; the id is looked up
# ---
def fit(experiment, settings, learn, check):
    mlflow.set_experiment(experiment)
    rows = [lgb.Dataset(part[FEATURES], part["defaulted"]) for part in (learn, check)]
    mlflow.lightgbm.autolog(log_models=False)
    try:
        lgb.train(settings, rows[0], num_boost_round=20, valid_sets=rows[1:], valid_names=["check"])
    finally:
        mlflow.lightgbm.autolog(disable=True)
    return mlflow.last_active_run().info.run_id
