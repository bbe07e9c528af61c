# ---
# answers: ex2
# why: without NumPy, sums by hand
# ---
import itertools


def change(values):
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    numbers = [value for _, value in known]
    n = len(numbers)
    mean = sum(numbers) / n
    far = [abs(sum(numbers[:k]) - k * mean) for k in range(1, n)]
    squares = [(b - a) ** 2 for a, b in itertools.pairwise(numbers)]
    noise = math.sqrt(sum(squares) / len(squares) / 2)
    if not max(far) > 1.63 * noise * math.sqrt(n):
        return {"at": None, "before": mean, "after": mean}
    k = far.index(max(far)) + 1
    return {"at": known[k][0], "before": sum(numbers[:k]) / k, "after": sum(numbers[k:]) / (n - k)}
