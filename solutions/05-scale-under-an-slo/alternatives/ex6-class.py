# ---
# answers: ex6
# why: a class of its own for the server
# ---
class Server:
    def __init__(self, service):
        self.service = service
        self.free = 0

    def offer(self, now, slo):
        end = max(self.free, now) + self.service
        if end > now + slo:
            return None
        self.free = end
        return end - now


def shed(arrivals, service, slo):
    server = Server(service)
    return [server.offer(now, slo) for now in arrivals]
