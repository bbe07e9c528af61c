# ---
# answers: ex1
# why: looks back for the nearest reading
# ---
def increases(readings):
    def one(place):
        before = [reading for reading in readings[:place] if reading is not None]
        if not before or readings[place] is None:
            return None
        return readings[place] - (before[-1] if before[-1] <= readings[place] else 0)

    return [one(place) for place in range(1, len(readings))]
