# SPDX-License-Identifier: Apache-2.0
"""Pages drawn from a seed, with everything on them known: words, boxes, reading order and table cells."""
