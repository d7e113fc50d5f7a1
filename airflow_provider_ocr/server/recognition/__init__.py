# SPDX-License-Identifier: Apache-2.0
"""Image bytes to pages. The engines live in a process of their own (``child``); ``support`` needs none."""
