# SPDX-License-Identifier: Apache-2.0
"""Tables: the grid that ruled lines draw, and the words in its cells."""
