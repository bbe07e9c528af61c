# ---
# answers: ex4
# why: a generator of pieces and a stack of machines; the formula written out
# ---
def finished(work, interval, save, restart, quiet):
    whole = int(work // interval)
    pieces = [interval] * whole
    if work > whole * interval:
        pieces.append(work - whole * interval)
    machines = list(quiet)
    started, at = 0.0, 0.0  # when this machine came, and when it is free for the next piece
    for piece in pieces:
        while machines and at + piece + save > started + machines[0]:
            started += machines.pop(0)
            at = started + restart
        at += piece + save
    return at


def spot_plan(work, save, restart, between, spot, demand):
    save_h, again_h = save / 60, restart / 60
    best = None
    for n in range(1, 201):
        hours = n * between * math.exp(again_h / between) * math.expm1((work / n + save_h) / between)
        if best is None or hours < best[0]:
            best = hours, n
    euros = best[0] * spot
    alone = (work + save_h) * demand
    return {
        "where": "demand" if alone <= euros else "spot",
        "eur": euros,
        "pieces": best[1],
        "young": float(np.minimum(young(save_h, between), work)),
    }
