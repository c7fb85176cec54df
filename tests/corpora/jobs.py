"""Work for the worker processes of the tests."""

import os
import time


def work(task):
    do, value = task
    if do == "die":
        os._exit(3)
    if do == "hang":
        time.sleep(60)
    if do == "bloat":
        return len(bytearray(value))
    if do == "print":
        print("this must not get among the results")
    return value, os.getpid()
