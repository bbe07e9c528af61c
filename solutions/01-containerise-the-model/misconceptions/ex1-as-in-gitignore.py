# ---
# answers: ex1
# loses: {ex1-test: 2, ex1-test-tomorrow: 1}
# why: takes a name without a slash to match at any depth, as in .gitignore
# ---
def ignored():
    return """
*
!model.json
!requirements.in
!requirements.txt
!wheelhouse
!oakbank
.env*
__pycache__
"""
