"""Bringing along a database that `docs/schema/schema.sql` made, with all that is in it, while people use it.

`shape` tells what kind of database this is, `rules` what today's schema asks of its rows, `report` which
rows break which rule. `mending` mends what can be mended, and writes each mend into the `ledger`; `improving`
takes the improved step, in short locks, and can be killed and begun again anywhere. `census` counts before
and after.
"""
