import contextlib
import ctypes
import os

import pytest

_OVERRIDES = (1, 2)  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, by which root reads what is shut
_VERSION = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@pytest.fixture
def as_others():
    """A context in which permissions count, also for root."""

    @contextlib.contextmanager
    def without():
        if os.geteuid() != 0:
            yield
            return
        libc = ctypes.CDLL(None, use_errno=True)
        header, sets = _Header(_VERSION, 0), (_Sets * 2)()
        if not hasattr(libc, "capget") or libc.capget(ctypes.byref(header), sets):
            pytest.skip("root reads everything here")
        before = sets[0].effective
        try:
            sets[0].effective = before & ~sum(1 << capability for capability in _OVERRIDES)
            libc.capset(ctypes.byref(header), sets)
            yield
        finally:
            sets[0].effective = before
            libc.capset(ctypes.byref(header), sets)

    return without
