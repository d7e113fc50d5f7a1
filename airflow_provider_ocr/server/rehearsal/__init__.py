# SPDX-License-Identifier: Apache-2.0
"""What takes the place of recognition where clients are tested: all of a task's life, and nothing read."""
