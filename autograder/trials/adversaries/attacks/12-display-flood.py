# ---
# attack: displays rich outputs for ever
# kind: answer
# honest: [ex1, ex3, ex4]
# gets: {ex1-test: 2, ex2-test: 0, ex3-test: 2, ex4-test: 2, ex4-test-close: 4}
# student sees: "…still running after 3 s…"
# ---
# %% ex2
from IPython.display import HTML, display


def instalment(amount, annual, months):
    while True:
        display(HTML("<b>" + "flood " * 1000 + "</b>"))
