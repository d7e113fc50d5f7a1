# SPDX-License-Identifier: Apache-2.0
"""``cloud-ocr-server``: its commands, their options, and the environment that may stand for them."""
