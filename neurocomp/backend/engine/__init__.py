"""Exact execution of a chip's program in numpy; knows nothing of Lava.

Activity is laid out (time, sample, row, column, channel), channels fastest: the window of a
convolution is then a run of memory, all steps of a block and all samples are rows of one matrix
product, and a step of all neurons is one contiguous array.
"""
