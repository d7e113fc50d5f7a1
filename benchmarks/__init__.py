# SPDX-License-Identifier: Apache-2.0
"""The scripts behind every claim of speed or size. Each is run as ``python -m benchmarks.<name>``."""
