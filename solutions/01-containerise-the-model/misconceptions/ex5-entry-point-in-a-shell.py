# ---
# answers: ex5
# loses: {ex5-test: 1, ex5-test-signals: 1}
# why: an entry point in shell form throws the words of CMD away
# ---
def start():
    return """
ENV PYTHONPATH=/packages OAKBANK_MODEL=/app/model.json
USER 10001
ENTRYPOINT python -m uvicorn
CMD ["oakbank.intro.service:app", "--host", "0.0.0.0", "--port", "8000"]
"""
