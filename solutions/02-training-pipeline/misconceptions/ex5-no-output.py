# ---
# answers: ex5
# loses: {ex5-test: 3}
# why: runs both steps and returns nothing, so the number stays in the last container
# ---
def income_pipeline():
    @dsl.pipeline(name="oakbank-income")
    def pipeline(month: int):
        table = applications(month=month)
        mean_income(rows=table.outputs["rows"])

    return pipeline
