# SPDX-License-Identifier: Apache-2.0
"""What the integration tests are made of: a real httpd, certificates and TLS clients."""
