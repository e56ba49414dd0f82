"""Prints what is at a URL, or a member of what it answers to this JSON: fetch.py URL [JSON MEMBER]"""

import json
import sys
import urllib.request

request = urllib.request.Request(sys.argv[1])
if len(sys.argv) > 2:
    request.data = sys.argv[2].encode()
    request.add_header("Content-Type", "application/json")
with urllib.request.urlopen(request) as answer:
    text = answer.read().decode()
print(json.loads(text)[sys.argv[3]] if len(sys.argv) > 3 else text)
