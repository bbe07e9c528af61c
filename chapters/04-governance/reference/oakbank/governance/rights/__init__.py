"""What a person may ask of the bank: to be told what it holds about them (GDPR, art. 15), and to be erased (art. 17).

bank = rights.Bank(folder)                    # a small bank with every place in which a person ends up
bank.open(World(5, "calm"), months=4)         # history, two models, four decided months, letters, logs, backups
number = bank.customers.find("Ada Novak")     # an error if nobody has the name, or more than one

answer = rights.access(bank, number, as_of=4)           # what, where, why decided so, for whom, until when
print(answer.markdown())
values = rights.identifying(bank, number)               # what gives the person away, wherever it is
receipt = rights.erase(bank, number, request="E-1", as_of=4)
print(receipt.markdown())                               # found, removed, what stays and why, models before and after
rights.search(bank.folder, values)                      # list[Found]: what the receipt says stays, or nothing
"""

from oakbank.governance.rights.bank import Bank, Without
from oakbank.governance.rights.disclosure import Access, access, identifying, identifying_many
from oakbank.governance.rights.erasure import ErasureError, erase, erase_many
from oakbank.governance.rights.people import Customer, Customers, Person, PersonError
from oakbank.governance.rights.receipts import Receipt, Stay
from oakbank.governance.rights.scan import Found, search

__all__ = [
    "Access",
    "Bank",
    "Customer",
    "Customers",
    "ErasureError",
    "Found",
    "Person",
    "PersonError",
    "Receipt",
    "Stay",
    "Without",
    "access",
    "erase",
    "erase_many",
    "identifying",
    "identifying_many",
    "search",
]
