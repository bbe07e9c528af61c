# ---
# answers: ex5
# loses: {ex5-test: 1, ex5-test-user: 1}
# why: names a user whom nobody made
# ---
def start():
    return """
ENV PYTHONPATH=/packages OAKBANK_MODEL=/app/model.json
USER oakbank
CMD ["python", "-m", "uvicorn", "oakbank.intro.service:app", "--host", "0.0.0.0", "--port", "8000"]
"""
