# ---
# answers: ex7
# loses: {ex7-test: 1, ex7-test-exact: 2}
# why: gives shap no background, so it compares with the loans that the model was trained on
# ---
def explain(model_text, background, people):
    explained = shap.TreeExplainer(lgb.Booster(model_str=model_text))(people)
    return {"values": explained.values, "start": float(np.mean(explained.base_values))}
