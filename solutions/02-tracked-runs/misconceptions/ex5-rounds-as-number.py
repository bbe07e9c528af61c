# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: rounds both to the digits of a float, which forgets the last zero of 0.750
# ---
def find_runs(experiment, auc, data):
    decimals = len(str(float(auc)).partition(".")[2])
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.data = '{data}'",
        order_by=["attributes.start_time ASC"],
        output_format="list",
    )
    return [
        run.info.run_id for run in found if f"{run.data.metrics.get('auc', math.nan):.{decimals}f}" == str(float(auc))
    ]
