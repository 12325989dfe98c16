"""Networks of other tools as specs: never approximated, what can't be said is refused with its places."""
