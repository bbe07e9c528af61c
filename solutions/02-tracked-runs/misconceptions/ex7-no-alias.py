# ---
# answers: ex7
# loses: {ex7-test: 2, ex7-test-fair: 2}
# why: registers and never sets the alias
# ---
def promote(name, run_id):
    return str(mlflow.register_model(f"runs:/{run_id}/model", name).version)
