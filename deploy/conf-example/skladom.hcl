# The installation. Every block may be left out; blocks may stand in any *.hcl
# file of this directory or below it, each once.
#
#   skladom validate --config deploy/conf-example

# Address, namespace, TLS and API key of Temporal come from the TEMPORAL_*
# variables and Temporal's profile file, as for every Temporal tool.
temporal {
  task_queue = "skladom"
}

# Receives the notifications of KROS. Without this block stock is read on
# schedule and by hand only.
relay {
  listen     = ":8088"
  public_url = "https://sync.example.com" # how KROS reaches it; https

  # Proxies in front of the relay, whose X-Forwarded-For counts:
  # trusted_proxies = ["10.0.0.0/8"]
}

# The archive of catalogues, plans and receipts. Several workers need one
# shared bucket, for example "s3://skladom?region=eu-central-1".
snapshots {
  url           = "file:///var/lib/skladom"
  keep          = 48    # catalogue snapshots of a shop
  keep_receipts = "90d" # what was written, for history
}

# 32 bytes in base64, made once with: openssl rand -base64 32
# The authorization keys of all shops are derived from it, so keep it.
secrets {
  master_key = env("SKLADOM_MASTER_KEY")
}

# Who is told when a shop needs somebody; a shop may have a block of its own.
# alert {
#   url           = env("ALERT_URL")
#   email         = ["stock@example.com"]
#   missed_passes = 3 # intervals without a good pass
# }

# The server for that mail. Port 587 with STARTTLS, or 465.
# mail {
#   host     = "smtp.example.com"
#   username = "skladom"
#   password = file("/run/secrets/smtp")
#   from     = "Skladom <skladom@example.com>"
# }
