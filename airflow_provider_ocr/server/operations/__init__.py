# SPDX-License-Identifier: Apache-2.0
"""The server as a whole: put together and run, watched, cleared of what has been kept for long enough."""
