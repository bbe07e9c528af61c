# ---
# answers: ex5
# why: the decorator called as a function, and `task.output` instead of `task.outputs`
# ---
def income_pipeline():
    def oakbank(month: int) -> float:
        written = applications(month=month)
        mean = mean_income(rows=written.outputs["rows"])
        return mean.output

    return dsl.pipeline(name="oakbank-income", description="The mean income of a month.")(oakbank)
