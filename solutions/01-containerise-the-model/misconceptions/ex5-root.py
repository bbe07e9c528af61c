# ---
# answers: ex5
# loses: {ex5-test-user: 1}
# why: names no user and runs as root
# ---
def start():
    return """
ENV PYTHONPATH=/packages OAKBANK_MODEL=/app/model.json
CMD ["python", "-m", "uvicorn", "oakbank.intro.service:app", "--host", "0.0.0.0", "--port", "8000"]
"""
