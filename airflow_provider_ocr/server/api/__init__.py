# SPDX-License-Identifier: Apache-2.0
"""The API over HTTP: who calls, which method, what is answered, and the signed URLs of results."""
