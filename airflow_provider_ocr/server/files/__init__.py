# SPDX-License-Identifier: Apache-2.0
"""What is kept as files: images, recognised pages and results, in a folder or an object storage."""
