# Part of ../Makefile: what others build upon.
#
#     make test-abi            the ABI is as Tests/abi has it
#     make abi-description     takes additions to the ABI over into Tests/abi
.PHONY: test-abi abi-description

TEST_PACKAGES += abidw=abigail-tools

test-abi: lib setup-test
	$(PYTHON) -m pytest -q Tests/python/test_frozen_abi.py

abi-description: setup-test
	python3 Tests/abi/describe.py
