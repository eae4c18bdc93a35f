"""The order in which the files run."""

LONGEST_FIRST = [
    "test_campaigns.py",
    "test_journal_campaigns.py",
    "test_fleet_ledger.py",
    "test_install.py",
    "test_ledger_model.py",
    "test_sip_engine.py",
    "test_warm.py",
    "test_site.py",
    "test_heard_settled.py",
    "test_truth.py",
    "test_package_install.py",
    "test_heard_journal.py",
    "test_heard_refusals.py",
    "test_heard.py",
    "test_ledger_abuse.py",
    "test_clock_jumps.py",
    "test_hosts.py",
    "test_cpp.py",
    "test_debian.py",
    "test_late_records.py",
    "test_refusals.py",
    "test_settled.py",
    "test_ledger_services.py",
    "test_examples_webhook.py",
    "test_package_settled.py",
    "test_examples.py",
    "test_coexistence.py",
    "test_package_cli.py",
]
"""Files are dealt out whole to the workers: one that takes a minute and comes last leaves all
others idle for it."""
