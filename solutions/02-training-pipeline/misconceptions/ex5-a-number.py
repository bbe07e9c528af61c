# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: writes a month into the pipeline instead of passing its parameter on
# ---
def income_pipeline():
    @dsl.pipeline(name="oakbank-income")
    def pipeline(month: int = 0) -> float:
        table = applications(month=0)
        return mean_income(rows=table.outputs["rows"]).outputs["Output"]

    return pipeline
