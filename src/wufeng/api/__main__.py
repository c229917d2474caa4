"""`python -m wufeng.api > docs/openapi.json`: the OpenAPI document, as it is served."""

import sys

from wufeng.api import openapi_document

sys.stdout.buffer.write(openapi_document())
