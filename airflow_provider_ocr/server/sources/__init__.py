# SPDX-License-Identifier: Apache-2.0
"""Remote images: which is fetched when, from where it may come, and how much of it is taken."""
