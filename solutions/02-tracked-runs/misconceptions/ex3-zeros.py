# ---
# answers: ex3
# loses: {ex3-test-example: 2}
# why: "takes zeros as the example: nobody's row, and none that could be"
# ---
def keep_model(run_id, booster, features):
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=mlflow.models.infer_signature(features, booster.predict(features)),
            input_example=features.head(1) * 0.0,
            pip_requirements=["lightgbm"],
        )
    return logged.model_uri
