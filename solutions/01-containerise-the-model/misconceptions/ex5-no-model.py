# ---
# answers: ex5
# loses: {ex5-test: 1}
# why: answers to /healthz and never got its model
# ---
def start():
    return """
ENV PYTHONPATH=/packages
USER 10001
CMD ["python", "-m", "uvicorn", "oakbank.intro.service:app", "--host", "0.0.0.0", "--port", "8000"]
"""
