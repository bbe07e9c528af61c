# ---
# answers: ex3
# loses: {ex3-test: 2, ex3-test-example: 2}
# why: "logs the model without signature and example: it takes any table with five columns"
# ---
def keep_model(run_id, booster, features):
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.lightgbm.log_model(booster, name="model", pip_requirements=["lightgbm"])
    return logged.model_uri
