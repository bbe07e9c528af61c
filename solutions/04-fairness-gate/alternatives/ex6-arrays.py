# ---
# answers: ex6
# why: compares arrays
# ---
def who_pays(before, after, group, profit):
    old, new = np.array(before, dtype=bool), np.array(after, dtype=bool)
    whose, eur = np.array(group), np.array(profit, dtype=float)
    return {
        "cost": float(eur[old].sum() - eur[new].sum()),
        "gained": {str(name): int((new & ~old & (whose == name)).sum()) for name in np.unique(whose)},
        "lost": {str(name): int((old & ~new & (whose == name)).sum()) for name in np.unique(whose)},
    }
