# ---
# answers: ex7
# loses: {ex7-test-exact: 2}
# why: hands shap a long background as it is, of which it draws a hundred rows
# ---
def explain(model_text, background, people):
    explained = shap.TreeExplainer(lgb.Booster(model_str=model_text), background)(people)
    return {"values": explained.values, "start": float(np.mean(explained.base_values))}
