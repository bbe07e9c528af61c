# ---
# answers: ex2
# why: made from Wilson's intervals (Donner and Zou 2012)
# ---
def ratio_interval(granted_1, n_1, granted_2, n_2):
    if granted_1 == 0 or granted_2 == 0:
        return 0.0, math.inf

    def wilson(x, n):
        p, s = x / n, 1.96**2 / n
        half = 1.96 * math.sqrt(p * (1 - p) / n + s / (4 * n))
        return p, (p + s / 2 - half) / (1 + s), (p + s / 2 + half) / (1 + s)

    p, k, u = wilson(granted_1, n_1)
    q, m, v = wilson(granted_2, n_2)
    low = k * (2 * p - k) / (p * q + math.sqrt((p * q) ** 2 - k * (2 * p - k) * v * (2 * q - v)))
    under = m * (2 * q - m)
    return low, (p * q + math.sqrt((p * q) ** 2 - u * (2 * p - u) * under)) / under
