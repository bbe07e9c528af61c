# ---
# answers: ex7
# loses: {ex7-test-thresholds: 2}
# why: names the methods and keeps the thresholds of one column alone
# ---
def evidently_page(reference, current, numbers, categories, page):
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import RowCount
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=list(numbers), categorical_columns=list(categories))
    columns = [*numbers, *categories]
    before, after = (Dataset.from_pandas(frame[columns], definition) for frame in (reference, current))
    preset = DataDriftPreset(num_method="ks", cat_method="psi")
    snapshot = Report([preset, RowCount()]).run(after, before)
    snapshot.save_html(str(page))
    found = {}
    for metric in snapshot.dict()["metrics"]:
        config, value = metric["config"], metric["value"]
        if config["type"].endswith("DriftedColumnsCount"):
            found["drifted"] = int(value["count"])
        elif config["type"].endswith("RowCount"):
            found["rows"] = int(value)
        else:
            found[config["column"]] = float(value)
    return found
