"""Where secrets stay, logins that are lent for minutes, and who may do what at the scoring service.

The modules are imported one by one.
"""
