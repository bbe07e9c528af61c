# ---
# answers: ex5
# loses: {ex5-test-signals: 1}
# why: writes the command as a line for a shell
# ---
def start():
    return """
ENV PYTHONPATH=/packages OAKBANK_MODEL=/app/model.json
USER 10001
CMD python -m uvicorn oakbank.intro.service:app --host 0.0.0.0 --port 8000
"""
