# ---
# answers: ex7
# why: each metric by its own name, imports above the function, the page written by hand
# ---
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import DriftedColumnsCount, RowCount, ValueDrift


def evidently_page(reference, current, numbers, categories, page):
    numbers, categories = list(numbers), list(categories)
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    tables = [
        Dataset.from_pandas(frame[numbers + categories], data_definition=definition) for frame in (current, reference)
    ]
    level = 0.05 / len(numbers) if numbers else 0.05
    metrics = [ValueDrift(column=name, method="ks", threshold=level) for name in numbers]
    metrics += [ValueDrift(column=name, method="psi", threshold=0.25) for name in categories]
    count = DriftedColumnsCount(num_method="ks", num_threshold=level, cat_method="psi", cat_threshold=0.25)
    snapshot = Report([*metrics, count, RowCount()]).run(*tables)
    with open(page, "w", encoding="utf-8") as stream:
        stream.write(snapshot.get_html_str(as_iframe=False))
    values = [metric["value"] for metric in snapshot.dict()["metrics"]]
    by_name = dict(zip(numbers + categories, map(float, values[:-2]), strict=True))
    return by_name | {"drifted": round(values[-2]["count"]), "rows": len(current)}
