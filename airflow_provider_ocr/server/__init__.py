# SPDX-License-Identifier: Apache-2.0
"""A self-hosted server that speaks the Cloud OCR SDK v1 API and recognises for real.

Knows `protocol` only, and runs where Airflow is not installed. From what a user types to the pixels::

    commands      cloud-ocr-server and its options
    operations    the server as a whole: put together, watched, swept
    api           the API over HTTP
    workers       who brings images in, recognises and publishes
    accounts      who may log in
    sources       remote images
    records       the database
    files         images, pages and results
    recognition   an image becomes pages, in processes that have nothing else
    export        pages become a file of each format

Imports run downwards; two processes of trust meet between ``workers`` and ``recognition``.
"""
