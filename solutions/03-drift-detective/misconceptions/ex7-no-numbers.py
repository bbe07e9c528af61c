# ---
# answers: ex7
# loses: {ex7-test-thresholds: 2}
# why: divides by the number of columns in `numbers`, which may be 0
# ---
def evidently_page(reference, current, numbers, categories, page):
    """Write Evidently's page; return rows, drifted columns, and one number a column."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import RowCount
    from evidently.presets import DataDriftPreset

    columns = [*numbers, *categories]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    before = Dataset.from_pandas(reference[columns], data_definition=definition)
    after = Dataset.from_pandas(current[columns], data_definition=definition)
    preset = DataDriftPreset(
        num_method="ks",
        num_threshold=0.05 / len(numbers),
        cat_method="psi",
        cat_threshold=0.25,
    )
    snapshot = Report([RowCount(), preset]).run(after, before)
    snapshot.save_html(str(page))
    said = {}
    for metric in snapshot.dict()["metrics"]:
        kind = metric["config"]["type"]
        if "column" in metric["config"]:
            said[metric["config"]["column"]] = metric["value"]
        elif kind.endswith("RowCount"):
            said["rows"] = metric["value"]
        elif kind.endswith("DriftedColumnsCount"):
            said["drifted"] = metric["value"]["count"]
    return said
