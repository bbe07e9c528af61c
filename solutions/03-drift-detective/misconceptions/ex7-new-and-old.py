# ---
# answers: ex7
# loses: {ex7-test: 2}
# why: gives Evidently the reference as the new data
# ---
def evidently_page(reference, current, numbers, categories, page):
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import RowCount
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=list(numbers), categorical_columns=list(categories))
    columns = [*numbers, *categories]
    before, after = (Dataset.from_pandas(frame[columns], definition) for frame in (reference, current))
    preset = DataDriftPreset(
        num_method="ks", num_threshold=0.05 / max(len(numbers), 1), cat_method="psi", cat_threshold=0.25
    )
    snapshot = Report([preset, RowCount()]).run(before, after)
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
