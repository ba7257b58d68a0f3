"""System calls that the kernel refuses to a box: a filter of Linux (seccomp) that nothing can take off again.

They take memory that no limit counts (memfd_create, a tmpfs in a namespace of one's own), or make what outlives a box:
System V's shared memory, queues and semaphores, and keys. This file is copied into the box.
"""
import ctypes
import os
import struct
import sys

CALLS = ("memfd_create", "memfd_secret", "unshare", "setns", "shmget", "semget", "msgget", "mq_open", "add_key",
         "request_key", "keyctl")
NUMBERS = {"x86_64": (319, 447, 272, 308, 29, 64, 68, 240, 248, 249, 250),
           "aarch64": (279, 447, 97, 268, 194, 190, 186, 180, 217, 218, 219)}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS to CLONE_NEWNET
NUMBER, ARCH, FIRST_ARGUMENT = 0, 4, 16  # where struct seccomp_data holds them
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026


def program(machine):
    """Return the filter: instructions (code, jump if true, jump if false, value), of a machine such as "x86_64"."""
    words = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, ARCHITECTURE[machine]), (RETURN, 0, 0, ENOSYS),
             (LOAD, 0, 0, NUMBER), (AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, ENOSYS)]  # x32's calls
    for number in NUMBERS[machine]:
        words += [(EQUAL, 0, 1, number), (RETURN, 0, 0, EPERM)]
    words += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, ENOSYS)]  # its flags stand in memory; the C library takes clone
    return words + [(EQUAL, 0, 3, CLONE[machine]), (LOAD, 0, 0, FIRST_ARGUMENT), (ANY_BIT, 0, 1, NEW_NAMESPACES),
                    (RETURN, 0, 0, EPERM), (RETURN, 0, 0, ALLOW)]


def refuse():
    """Put the filter on this process and all that it will start; return whether there is one for this machine.

    The process also ends with the grader that has started it, however that ends.
    """
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in NUMBERS or struct.calcsize("P") != 8:
        return False
    call = ctypes.CDLL(None).prctl
    call.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    call(1, 9, 0, 0, 0)  # PR_SET_PDEATHSIG, SIGKILL
    words = program(machine)
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *word) for word in words))
    head = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(words), ctypes.addressof(code)))
    return call(38, 1, 0, 0, 0) == 0 and call(22, 2, ctypes.addressof(head), 0, 0) == 0
