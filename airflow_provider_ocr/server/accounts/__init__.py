# SPDX-License-Identifier: Apache-2.0
"""Who may use the server: passwords, remembered log-ins, and the patience that guessing costs."""
