"""What can go wrong, each with the exit code that the command line gives it."""

from __future__ import annotations


class GpuClustersError(Exception):
    """Base of every error that this package raises on purpose.

    Attributes
    ----------
    exit_code : int
        Exit status of the command line program: 1 failed, 2 usage, 3 bad input data, 4 device or engine missing.
    """

    exit_code = 1


class UsageError(GpuClustersError, ValueError):
    """A setting, an option or a configuration file that makes no sense."""

    exit_code = 2


class InputError(GpuClustersError, ValueError):
    """Input data that cannot be used; the message names file, column and row where there is one."""

    exit_code = 3


class DeviceMemoryError(GpuClustersError, MemoryError):
    """A device's memory is full; the message names the step and what to do."""


class DeviceError(GpuClustersError, RuntimeError):
    """A device or an engine that was asked for and is not there."""

    exit_code = 4


def first_line(error: BaseException) -> str:
    """The first line of what an error says: those of libraries go on with places in their sources; its kind if it says nothing.

    Examples
    --------
    >>> first_line(OSError("no such library\\n  looked in /usr/lib")), first_line(KeyError())
    ('no such library', 'KeyError')
    """
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
