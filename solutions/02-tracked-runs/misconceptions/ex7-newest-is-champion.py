# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-fair: 2}
# why: moves the alias without comparing
# ---
def promote(name, run_id):
    mine = mlflow.register_model(f"runs:/{run_id}/model", name)
    CLIENT.set_registered_model_alias(name, "champion", mine.version)
    return str(mine.version)
