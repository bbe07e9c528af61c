# ---
# answers: ex7
# loses: {ex7-test: 1, ex7-test-exact: 2}
# why: compares with one person who has the mean of every column, and who is not the mean of the answers
# ---
def explain(model_text, background, people):
    typical = background.mean(axis=0, keepdims=True)
    explained = shap.TreeExplainer(lgb.Booster(model_str=model_text), typical)(people)
    return {"values": explained.values, "start": float(np.mean(explained.base_values))}
