"""Every error of the witness.

    WitnessError
    ├── HomeError       the home is not usable; one sentence for whoever runs the witness
    ├── StoreError      the database did not do it: nothing was signed
    └── RestoredError   what is stored is older than what was cosigned: nothing is signed

Rule: nobody who asks is told more than that the witness does not sign now.
"""


class WitnessError(Exception):
    """Be the root of all; never raised itself."""


class HomeError(WitnessError):
    """Say in one sentence what must be changed in the home or the settings."""


class StoreError(WitnessError):
    """Say that the database refused; whether a change was stored is unknown."""


class RestoredError(WitnessError):
    """Say that the witness would sign below what it has signed before."""
