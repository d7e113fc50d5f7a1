# SPDX-License-Identifier: Apache-2.0
"""What is kept in the database: tasks and their moves, work under leases, applications and their ledger."""
