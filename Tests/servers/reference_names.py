"""What a client of the reference servers has to know. To import this costs nothing, as the servers themselves do."""

API_KEY = "sk_ptnr_ring3_0123456789abcdef"
WEBHOOK_PATH = "/webhook"
WEBHOOK_SECRET = "whsec_ring3_0123456789abcdef"
