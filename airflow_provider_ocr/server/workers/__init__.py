# SPDX-License-Identifier: Apache-2.0
"""Those who work on tasks: images are brought in and measured, documents recognised, results published."""
